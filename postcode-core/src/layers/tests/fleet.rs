//! Many processes that follow one plan.

use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::*;
use crate::layers::fleet::{
    Acknowledged, Fleet, FleetLimits, FleetLink, FleetMember, FleetPlan, FleetReport, Following, PlanFile,
    SetError, begin, follow, read_plan, write_plan,
};
use crate::layers::{Guard, Promotion, PromotionPlan, Stage};

/// The way to a fleet in the same process, which can be broken.
#[derive(Clone, Debug)]
struct Direct {
    fleet: Arc<std::sync::Mutex<Fleet>>,
    broken: Arc<AtomicBool>,
}

impl Direct {
    fn to(fleet: &Fleet) -> Self {
        Self { fleet: Arc::new(std::sync::Mutex::new(fleet.clone())), broken: Arc::default() }
    }

    fn there(&self) -> Result<Fleet> {
        match self.broken.load(SeqCst) {
            true => Err(Error::new(ErrorKind::Unavailable, "nobody answers")),
            false => Ok(self.fleet.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl FleetLink for Direct {
    async fn plan(&self, newer_than: u64, wait: Duration) -> Result<Option<FleetPlan>> {
        let plan = self.there()?.newer_than(newer_than, wait).await;
        // An answer that was on its way is lost as well.
        self.there()?;
        Ok(Some((*plan).clone()))
    }

    async fn report(&self, report: &FleetReport) -> Result<Duration> {
        self.there()?.report(report.clone())
    }
}

/// A process with both implementations, under load or not.
struct Process {
    new: Arc<Fake>,
    promotion: Promotion,
    member: Arc<FleetMember>,
}

impl Process {
    fn new(number: usize) -> Self {
        let new = Fake::new([]);
        let promotion = Promotion::new(Fake::new([]), new.clone());
        let member = Arc::new(FleetMember::new(promotion.clone(), format!("p{number}")).unwrap());
        Self { new, promotion, member }
    }

    fn follow(&self, link: &Direct) {
        tokio::spawn(follow(self.member.clone(), Arc::new(link.clone()), Following::default()));
    }
}

fn plan(text: &str) -> PromotionPlan {
    text.parse().unwrap()
}

fn fleet(guard: &str) -> Fleet {
    Fleet::new(Some(guard.parse().unwrap()), FleetLimits::default())
}

/// Waits until all processes follow a revision.
async fn acknowledged(fleet: &Fleet, revision: u64, processes: usize) {
    while fleet.acknowledged() != [Acknowledged { revision, processes }] {
        sleep(MS).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_processes_under_load_follow_one_plan_and_step_back_on_the_sum() {
    let fleet = fleet("errors=1%");
    let link = Direct::to(&fleet);
    let processes: Arc<Vec<Process>> = Arc::new((0..50).map(Process::new).collect());
    let mut callers = JoinSet::new();
    for number in 0..50 {
        processes[number].follow(&link);
        let processes = processes.clone();
        callers.spawn(async move {
            loop {
                assert_eq!(ask(&processes[number].promotion).await, Ok(()));
                sleep(7 * MS).await;
            }
        });
    }
    acknowledged(&fleet, 0, 50).await;
    for (number, stage) in [(1, "shadow:20%"), (2, "canary:50%"), (3, "remote-with-fallback")] {
        assert_eq!(fleet.set(plan(stage), Some(number - 1)).await.unwrap().revision, number);
        acknowledged(&fleet, number, 50).await;
        sleep(3 * SECOND).await;
    }
    assert!(processes.iter().all(|process| process.promotion.stage() == Stage::RemoteWithFallback));
    assert_eq!(fleet.plan().revision, 3, "nothing to step back from");
    callers.abort_all();
    while let Some(caller) = callers.join_next().await {
        assert!(caller.unwrap_err().is_cancelled(), "no call failed");
    }

    // Two faults of fifty calls in each process. For one of them that is chance.
    fleet.set(plan("remote-with-fallback"), None).await.unwrap();
    acknowledged(&fleet, 4, 50).await;
    for process in &*processes {
        for call in 0..50 {
            process.new.set(if call % 25 == 24 { DOWN } else { Act::Answer });
            assert_eq!(ask(&process.promotion).await, Ok(()), "the library answers");
        }
        process.new.set(Act::Answer);
    }
    acknowledged(&fleet, 5, 50).await;
    let now = fleet.plan();
    assert_eq!(now.plan.to_string(), "shadow:0.5");
    let back = &now.step_backs[0];
    assert_eq!((back.from, back.to), (Stage::RemoteWithFallback, Stage::Shadow));
    assert!(back.reason.contains("calls to the new implementation failed in all processes"), "{back:?}");
    for process in &*processes {
        let seen = process.promotion.snapshot();
        assert_eq!(
            (seen.stage, seen.step_backs, seen.failed),
            (Stage::Shadow, 0, 0),
            "by the plan, not alone"
        );
    }
}

const DOWN: Act = Act::Fail(ErrorKind::Unavailable);

#[tokio::test(start_paused = true)]
async fn faults_in_one_process_of_fifty_do_not_move_the_others() {
    let fleet = fleet("errors=5%");
    let link = Direct::to(&fleet);
    let processes: Vec<Process> = (0..50).map(Process::new).collect();
    processes.iter().for_each(|process| process.follow(&link));
    acknowledged(&fleet, 0, 50).await;
    fleet.set(plan("remote-with-fallback"), None).await.unwrap();
    acknowledged(&fleet, 1, 50).await;
    processes[0].new.set(DOWN);
    for process in &processes {
        for _ in 0..50 {
            assert_eq!(ask(&process.promotion).await, Ok(()));
        }
    }
    sleep(5 * SECOND).await;
    assert_eq!(fleet.plan().revision, 1);
    let seen = fleet.snapshot();
    // The calls that made its own guard step back are in the sum.
    let observed = seen.rows[0].observed;
    assert_eq!((observed.asked, observed.failed), (49 * 50 + 20, 20), "{seen:?}");
    let first = seen.processes.iter().find(|process| process.process == "p0").unwrap();
    assert_eq!((first.plan.to_string().as_str(), first.rows[0].stage), ("shadow:0.1", Stage::Shadow));
    assert_eq!(processes[1].promotion.stage(), Stage::RemoteWithFallback);
}

#[tokio::test(start_paused = true)]
async fn fleet_that_is_gone_leaves_the_plan_and_one_that_lost_it_never_takes_it_back() {
    let first = fleet("on");
    let link = Direct::to(&first);
    let process = Process::new(0);
    process.follow(&link);
    first.set(plan("canary:20%"), None).await.unwrap();
    first.set(plan("canary:30%"), None).await.unwrap();
    acknowledged(&first, 2, 1).await;
    link.broken.store(true, SeqCst);
    first.close();
    sleep(60 * SECOND).await;
    let status = process.member.status();
    assert_eq!((status.revision, status.unreachable.as_deref()), (2, Some("nobody answers")));
    assert_eq!(process.promotion.plan().to_string(), "canary:0.3");
    assert_eq!(ask(&process.promotion).await, Ok(()));

    // The server is there again, without its file.
    let second = fleet("on");
    *link.fleet.lock().unwrap() = second.clone();
    link.broken.store(false, SeqCst);
    acknowledged(&second, 2, 1).await;
    assert_eq!((second.plan().revision, process.promotion.plan().to_string()), (0, "canary:0.3".into()));
    while process.member.status().unreachable.is_some() {
        sleep(SECOND).await;
    }
    assert_eq!(second.set(plan("local"), Some(0)).await.unwrap().revision, 3, "above all that were seen");
    acknowledged(&second, 3, 1).await;
    assert_eq!(process.promotion.stage(), Stage::Local);
}

#[tokio::test(start_paused = true)]
async fn older_plan_never_replaces_a_newer_one() {
    let process = Process::new(0);
    assert!(process.member.apply(&FleetPlan::new(7, plan("canary:0.5"))).unwrap());
    for older in [0, 6, 7] {
        assert!(!process.member.apply(&FleetPlan::new(older, plan("remote"))).unwrap());
    }
    assert_eq!((process.member.revision(), process.promotion.stage()), (7, Stage::Canary));
    // A plan with more rows than a promotion has is told and changes nothing.
    let rows: String = (0..64).map(|n| format!(",cohort:c{n}=remote")).collect();
    assert!(process.member.apply(&FleetPlan::new(8, plan(&format!("remote{rows}")))).is_err());
    let report = process.member.report();
    assert_eq!((report.revision, process.promotion.stage()), (7, Stage::Canary));
    assert!(report.error.unwrap().contains("revision 8: a promotion has at most 64 rows"));
}

#[tokio::test(start_paused = true)]
async fn plan_is_changed_only_by_those_who_saw_the_current_one() {
    let fleet = fleet("on");
    assert_eq!(fleet.set(plan("shadow"), Some(0)).await.unwrap().plan.to_string(), "shadow:0.1");
    let late = fleet.set(plan("remote"), Some(0)).await.unwrap_err();
    assert!(matches!(late, SetError::Moved { expected: 0, current: 1 }), "{late}");
    let set = fleet.set(plan("canary,nearest=remote:30%"), Some(1)).await.unwrap();
    assert_eq!(set.plan.to_string(), "canary:0.1,nearest=remote:0.3", "every share is said");
    let set = fleet.set(plan("canary:0.2,nearest=canary,within=shadow"), None).await.unwrap();
    assert_eq!(set.plan.to_string(), "canary:0.2,nearest=canary:0.3,within=shadow:0.2");
}

#[tokio::test(start_paused = true)]
async fn wait_ends_with_a_newer_plan_with_the_time_or_with_the_server() {
    let fleet = fleet("on");
    let start = Instant::now();
    assert_eq!(fleet.newer_than(0, 30 * SECOND).await.revision, 0);
    assert_eq!(start.elapsed(), 30 * SECOND);
    let waiting = tokio::spawn({
        let fleet = fleet.clone();
        async move { fleet.newer_than(0, 30 * SECOND).await.revision }
    });
    sleep(SECOND).await;
    fleet.set(plan("shadow"), None).await.unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
    assert_eq!(start.elapsed(), 31 * SECOND);
    fleet.close();
    assert_eq!(fleet.newer_than(1, 30 * SECOND).await.revision, 1);
    assert_eq!(start.elapsed(), 31 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn call_counts_once_however_often_it_is_reported() {
    let mut limits = FleetLimits::default();
    (limits.processes, limits.silence) = (2, 10 * SECOND);
    let fleet = Fleet::new(Some(Guard::default()), limits);
    fleet.set(plan("remote-with-fallback"), None).await.unwrap();
    let process = Process::new(0);
    process.member.apply(&fleet.plan()).unwrap();
    let observed = |fleet: &Fleet| fleet.snapshot().rows[0].observed.asked;
    let calls = async |count: usize| {
        for _ in 0..count {
            assert_eq!(ask(&process.promotion).await, Ok(()));
        }
    };
    calls(5).await;
    assert_eq!(fleet.report(process.member.report()).unwrap(), SECOND);
    assert_eq!(observed(&fleet), 0, "the first report says where the counts begin");
    calls(7).await;
    for _ in 0..3 {
        fleet.report(process.member.report()).unwrap();
        assert_eq!(observed(&fleet), 7);
    }
    // Silent for too long, it is forgotten, and begins anew.
    sleep(10 * SECOND).await;
    assert_eq!((fleet.snapshot().processes.len(), fleet.snapshot().forgotten), (0, 1));
    calls(100).await;
    fleet.report(process.member.report()).unwrap();
    assert_eq!(observed(&fleet), 7);
    calls(2).await;
    fleet.report(process.member.report()).unwrap();
    assert_eq!(observed(&fleet), 9);

    // No more processes than there may be, and no reports that are too large.
    let report = |name: &str| FleetReport { process: name.into(), ..process.member.report() };
    fleet.report(report("p1")).unwrap();
    assert_eq!(fleet.report(report("p2")).unwrap_err().kind(), ErrorKind::Overloaded);
    assert_eq!((fleet.snapshot().processes.len(), fleet.snapshot().refused), (2, 1));
    let mut many = process.member.report();
    many.rows = vec![many.rows[0].clone(); 65];
    let mut far = process.member.report();
    far.revision = 1 << 40;
    let mut long = process.member.report();
    long.error = Some("x".repeat(301));
    for wrong in [report(""), report("a b"), report(&"x".repeat(81)), many, far, long] {
        assert_eq!(fleet.report(wrong).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(fleet.set(plan("local"), None).await.unwrap().revision, 2);
}

#[tokio::test(start_paused = true)]
async fn every_row_that_must_steps_back_and_the_others_stay() {
    let fleet = fleet("on");
    fleet.set(plan("canary:50%,nearest=remote,lookup_one=remote-with-fallback"), None).await.unwrap();
    let process = Process::new(0);
    process.member.apply(&fleet.plan()).unwrap();
    fleet.report(process.member.report()).unwrap();
    let mut report = process.member.report();
    for row in &mut report.rows {
        row.observed.asked = 1_000;
        row.observed.failed = if row.row.to_string() == "nearest" { 0 } else { 200 };
    }
    fleet.report(report.clone()).unwrap();
    // The next report ends the round.
    fleet.report(report).unwrap();
    let now = fleet.newer_than(1, SECOND).await;
    assert_eq!(now.plan.to_string(), "shadow:0.5,lookup_one=shadow:0.5,nearest=remote:0.5");
    assert_eq!(now.step_backs.len(), 2);
    assert!(process.member.apply(&now).unwrap());

    // Without a guard the counts are shown and nothing moves.
    let fleet = Fleet::new(None, FleetLimits::default());
    fleet.set(plan("remote"), None).await.unwrap();
    let process = Process::new(1);
    process.member.apply(&fleet.plan()).unwrap();
    fleet.report(process.member.report()).unwrap();
    let mut report = process.member.report();
    (report.rows[0].observed.asked, report.rows[0].observed.failed) = (1_000, 1_000);
    for _ in 0..3 {
        fleet.report(report.clone()).unwrap();
    }
    assert_eq!(fleet.newer_than(1, SECOND).await.revision, 1);
    assert_eq!(fleet.snapshot().rows[0].observed.failed, 1_000);
}

#[tokio::test]
async fn restarted_process_and_restarted_fleet_begin_where_the_plan_is() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, state) = (folder.path().join("fleet.json"), folder.path().join("state.json"));
    let open = || Fleet::open(&plans, Some(Guard::default()), FleetLimits::default()).unwrap();
    let fleet = open();
    assert_eq!(fleet.plan().revision, 0);
    fleet.set(plan("canary:25%,nearest=remote"), None).await.unwrap();
    let following = Following::default().keeping(&state);
    begin(&Process::new(0).member, &Direct::to(&fleet), &following).await;
    assert_eq!(read_plan(&state).unwrap().unwrap(), *fleet.plan());
    assert_eq!(open().plan(), fleet.plan(), "stored before it was answered");

    // Without the fleet the process begins with its own file.
    let gone = Direct::to(&fleet);
    gone.broken.store(true, SeqCst);
    let restarted = Process::new(0);
    begin(&restarted.member, &gone, &following).await;
    assert_eq!(restarted.promotion.plan().to_string(), "canary:0.25,nearest=remote:0.25");
    assert_eq!(restarted.member.revision(), 1);
    // A file that is broken is not the end of a process.
    std::fs::write(&state, "{").unwrap();
    let restarted = Process::new(0);
    begin(&restarted.member, &gone, &following).await;
    assert_eq!((restarted.member.revision(), restarted.promotion.stage()), (0, Stage::Local));

    // A plan that can't be stored is not one.
    let nowhere = Fleet::open(folder.path().join("no/plan.json"), None, FleetLimits::default()).unwrap();
    assert!(matches!(nowhere.set(plan("remote"), None).await, Err(SetError::NotStored(_))));
    assert_eq!(nowhere.plan().revision, 0);
    std::fs::write(&plans, "{}").unwrap();
    assert!(Fleet::open(&plans, None, FleetLimits::default()).is_err());
}

#[tokio::test]
async fn process_follows_a_file_that_is_written_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let process = Process::new(0);
    let link = Arc::new(PlanFile::new(&path));
    let following = tokio::spawn(follow(process.member.clone(), link, Following::default()));
    for (revision, stage) in [(1, Stage::Shadow), (2, Stage::Canary)] {
        write_plan(&path, &FleetPlan::new(revision, plan(stage.as_str()))).unwrap();
        while process.promotion.stage() != stage {
            sleep(10 * MS).await;
        }
    }
    write_plan(&path, &FleetPlan::new(1, plan("remote"))).unwrap();
    assert_eq!(link_plan(&path).await, Some(1));
    assert_eq!((process.member.revision(), process.promotion.stage()), (2, Stage::Canary));
    following.abort();
}

async fn link_plan(path: &std::path::Path) -> Option<u64> {
    PlanFile::new(path).plan(2, Duration::ZERO).await.unwrap().map(|plan| plan.revision)
}
