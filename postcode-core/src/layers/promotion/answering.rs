//! Answers a call by its plan: from the old implementation, the new one, or the old one after the new one.

use std::sync::atomic::Ordering::Relaxed;

use super::core::{Begun, is_failure};
use super::side::Promotable;
use super::stage::Stage;
use super::{Promotion, compare, plan};
use crate::layers::Around;
use crate::layers::call::Call;
use crate::layers::span;
use crate::{ErrorKind, Result, unit};

impl<S: Promotable> Around for Promotion<S> {
    type Inner = S;

    async fn around<C: Call<S>>(&self, call: C) -> Result<C::Reply> {
        let mut begun = self.0.begin(C::NAME);
        // Outside of a unit, nothing says which calls the edition is asked for. Most of them are
        // answered by the old implementation until the new one answers all.
        if plan::is_info(C::NAME) {
            begun.course.sampled &= begun.in_unit();
        }
        self.traced(call, begun).await
    }
}

/// An answer and who gave it.
struct Answered<R> {
    answer: Result<R>,
    /// Whether the new implementation gave it.
    by_new: bool,
    /// Whether the new one failed before.
    fell_back: bool,
}

impl<S: Promotable> Promotion<S> {
    /// Answers a call in its span, if anybody subscribes to spans.
    async fn traced<C: Call<S>>(&self, call: C, begun: Begun) -> Result<C::Reply> {
        match span::promotion(C::NAME) {
            None => self.counted(call, &begun).await.answer,
            Some(span) => Box::pin(self.spanned(call, begun, span)).await,
        }
    }

    async fn spanned<C: Call<S>>(&self, call: C, begun: Begun, span: tracing::Span) -> Result<C::Reply> {
        let row = self.0.row(begun.course);
        span.record("row", tracing::field::display(&row.name));
        span.record("stage", begun.course.plan.stage.as_str());
        let (answered, edition) =
            unit::answered(span::within(Some(span.clone()), self.counted(call, &begun))).await;
        span.record("side", if answered.by_new { "new" } else { "old" });
        span.record("fell_back", answered.fell_back);
        if let Some(edition) = edition {
            span.record("edition", &*edition);
        }
        answered.answer
    }

    /// Answers a call and counts it if it failed.
    ///
    /// The longer ways have futures in a box. Otherwise each call in stage `local` would copy room for them.
    async fn counted<C: Call<S>>(&self, call: C, begun: &Begun) -> Answered<C::Reply> {
        let course = begun.course;
        let answered = if begun.is_apart() {
            Box::pin(self.apart(call, begun)).await
        } else if course.plan.stage == Stage::Local {
            let answer = self.0.ask_old(&call, course, begun.timed).await;
            Answered { answer, by_new: false, fell_back: false }
        } else {
            Box::pin(self.answer(call, begun)).await
        };
        if answered.answer.as_ref().is_err_and(is_failure) {
            self.0.row(begun.course).failed.fetch_add(1, Relaxed);
        }
        answered
    }

    async fn answer<C: Call<S>>(&self, call: C, begun: &Begun) -> Answered<C::Reply> {
        let core = &self.0;
        let course = begun.course;
        let by_old = |answer| Answered { answer, by_new: false, fell_back: false };
        let by_either = |(answer, fell_back): (_, bool)| Answered { answer, by_new: !fell_back, fell_back };
        match course.plan.stage {
            Stage::Shadow if course.sampled => {
                let sided = unit::answered(core.ask_old(&call, course, true)).await;
                core.note_old(course, &sided.0);
                compare::with_new(core, course, call, &sided);
                by_old(sided.0)
            }
            Stage::Canary if course.sampled => {
                let ((answer, fell_back), edition) = unit::answered(core.ask_new_or_old(&call, begun)).await;
                let sided = (answer, edition);
                if !fell_back {
                    compare::with_old(core, course, call, &sided);
                }
                by_either((sided.0, fell_back))
            }
            Stage::Local => by_old(core.ask_old(&call, course, begun.timed).await),
            Stage::Shadow | Stage::Canary => {
                let answer = core.ask_old(&call, course, begun.timed).await;
                core.note_old(course, &answer);
                by_old(answer)
            }
            Stage::RemoteWithFallback => by_either(core.ask_new_or_old(&call, begun).await),
            Stage::Remote => by_either(match core.ask_new(&call, course, None).await {
                Err(error) if is_failure(&error) && core.row(course).plan.get().stage != Stage::Remote => {
                    core.fall_back(begun);
                    (core.ask_old(&call, course, true).await, true)
                }
                answer => (answer, false),
            }),
        }
    }

    /// Answers a call whose row and unit select different implementations. Answering by the row keeps the
    /// promise to the unit only if both answer from one edition.
    async fn apart<C: Call<S>>(&self, call: C, begun: &Begun) -> Answered<C::Reply> {
        let core = &self.0;
        // The caller's own demand is for all its calls already.
        let held_to = match unit::edition() {
            Some(demanded) => Some(demanded),
            None => core.edition_of_unit(begun).await,
        };
        if let Some(edition) = held_to {
            let (answered, from) =
                unit::at_edition(&edition, unit::answered(self.answer(call.clone(), begun))).await;
            let answer = &answered.answer;
            let moved = answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::EditionMoved);
            // An error is not of an edition, and an answer has to tell.
            if !moved && (answer.is_err() || from.as_ref() == Some(&edition)) {
                return answered;
            }
        }
        self.answer(call, &core.hold(begun)).await
    }
}
