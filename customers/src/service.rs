//! [`Customers`]: a store together with a postcode lookup.

use std::sync::Arc;
use std::time::Duration;

use postcode_addresses::AddressLookup;
use postcode_core::{Answer, PostcodeLookup, unit};
use tokio::sync::Notify;

use crate::draft::{Answers, Draft, unknown, unknown_links};
use crate::filter::Circle;
use crate::input::{Details, Invalid};
use crate::store::{Once, Outcome};
use crate::{
    AddressStatus, AuditPage, Cursor, Customer, CustomerId, Error, Filter, NewCustomer, Page, Result, Sort,
    Store, Total, check,
};

/// The longest name of an actor, and the longest idempotency key, in bytes.
pub const MAX_TOKEN: usize = 255;

/// Customer accounts with all their operations. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
/// # let mut lookup = MockPostcodeLookup::new();
/// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
/// # use customers::NewCustomer;
/// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
/// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
/// use customers::{Customers, Store};
///
/// // In a program, the lookup is the result of `postcode_core::connect(url)`.
/// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
/// let ada = customers.create(ada).await?;
/// assert_eq!(customers.get(ada.id).await?, ada);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Customers {
    pub(crate) store: Store,
    pub(crate) lookup: Arc<dyn PostcodeLookup>,
    pub(crate) addresses: Option<Arc<dyn AddressLookup>>,
    pub(crate) lookup_timeout: Duration,
    /// Wakes [`keep_resolving`](Self::keep_resolving) when there is a pending address.
    pub(crate) pending: Arc<Notify>,
    /// Wakes [`keep_importing`](Self::keep_importing) when there is a file to work on.
    pub(crate) imports: Arc<Notify>,
    /// The actor of changes, for the audit trail.
    pub(crate) actor: Option<Arc<str>>,
    /// The revisions at which a customer may be changed; `None` for any.
    pub(crate) revisions: Option<Arc<[i64]>>,
}

impl Customers {
    /// The default time limit of a lookup, see [`with_lookup_timeout`](Self::with_lookup_timeout).
    pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

    /// Creates the service from a store and a lookup for its postcodes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # let lookup = postcode_core::MockPostcodeLookup::new();
    /// use customers::{Customers, Store};
    ///
    /// let store = Store::open("sqlite::memory:").await?;
    /// let customers = Customers::new(store, Arc::new(lookup)); // `connect(url)` returns such a lookup
    /// assert!(customers.list(10, None).await?.items.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(store: Store, lookup: Arc<dyn PostcodeLookup>) -> Self {
        Self {
            store,
            lookup,
            addresses: None,
            lookup_timeout: Self::LOOKUP_TIMEOUT,
            pending: Arc::default(),
            imports: Arc::default(),
            actor: None,
            revisions: None,
        }
    }

    /// Sets the lookup of addresses. Without it people type their addresses, and nothing else changes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::LinkStatus;
    /// use postcode_addresses::{Address, MockAddressLookup};
    ///
    /// let mut addresses = MockAddressLookup::new();
    /// addresses.expect_addresses_by_number().returning(|_| {
    ///     let mut address = Address::default();
    ///     address.postcode = "SW1Y 4JH".to_owned();
    ///     Ok(vec![vec![address]])
    /// });
    /// let customers = customers.with_addresses(Arc::new(addresses));
    /// let ada = NewCustomer { address_id: Some("udprn:12345678".into()), ..ada };
    /// let link = customers.create(ada).await?.link;
    /// assert_eq!(link.map(|link| link.status), Some(LinkStatus::Listed));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_addresses(self, addresses: Arc<dyn AddressLookup>) -> Self {
        Self { addresses: Some(addresses), ..self }
    }

    /// Sets the time limit of a lookup: [2 s](Self::LOOKUP_TIMEOUT) unless set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use std::time::Duration;
    /// use customers::{AddressStatus, Customers};
    ///
    /// assert_eq!(Customers::LOOKUP_TIMEOUT, Duration::from_secs(2)); // unless set
    /// let customers = customers.with_lookup_timeout(Duration::from_secs(5));
    /// assert_eq!(customers.create(ada).await?.check.status, AddressStatus::Verified);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_lookup_timeout(self, lookup_timeout: Duration) -> Self {
        Self { lookup_timeout, ..self }
    }

    /// Returns the same customers, with changes recorded under that actor, a person or a program.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// let ada = customers.by("support")?.create(ada).await?;
    /// let history = customers.history(ada.id, 10, None).await?;
    /// assert_eq!(history.items[0].actor.as_deref(), Some("support"));
    /// assert!(customers.by("").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) if the name is empty, longer than [`MAX_TOKEN`] or has control
    /// characters.
    pub fn by(&self, actor: &str) -> Result<Self> {
        let actor = actor.trim();
        if actor.is_empty() || actor.len() > MAX_TOKEN || actor.chars().any(char::is_control) {
            let what = format!("give 1 to {MAX_TOKEN} bytes without control characters");
            return Err(Invalid::one("actor", what).into());
        }
        Ok(Self { actor: Some(actor.into()), ..self.clone() })
    }

    /// Returns the same customers, with changes allowed only at one of these revisions, so that no
    /// caller overwrites a change that it has not read. A change at another revision fails with
    /// [`Precondition`](Error::Precondition).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::Error;
    ///
    /// let ada = customers.create(ada).await?;
    /// let late = customers.at(&[ada.revision - 1]).delete(ada.id).await;
    /// assert!(matches!(late, Err(Error::Precondition(_, current)) if current == ada.revision));
    /// assert!(customers.at(&[ada.revision]).delete(ada.id).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn at(&self, revisions: &[i64]) -> Self {
        Self { revisions: Some(revisions.into()), ..self.clone() }
    }

    /// Creates an account. It is accepted even if the lookup fails: see
    /// [`AddressStatus`](crate::AddressStatus). When this returns the account is on disk, with its
    /// pending addresses.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::{AddressStatus, Error};
    ///
    /// let stored = customers.create(ada.clone()).await?;
    /// assert_eq!(stored.check.status, AddressStatus::Verified);
    /// let again = customers.create(ada).await;
    /// assert!(matches!(again, Err(Error::EmailTaken(_))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid), [`EmailTaken`](Error::EmailTaken), [`Store`](Error::Store).
    pub async fn create(&self, new: NewCustomer) -> Result<Customer> {
        self.insert(new.check()?, None).await
    }

    /// Creates an account once for each key: a repeated call returns the account that exists. The
    /// key is remembered for two days.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::Error;
    ///
    /// let stored = customers.create_once("request-1", ada.clone()).await?;
    /// assert_eq!(customers.create_once("request-1", ada.clone()).await?.id, stored.id);
    /// let other = NewCustomer { name: "Ada King".into(), ..ada };
    /// assert!(matches!(customers.create_once("request-1", other).await, Err(Error::KeyReused)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create), and [`KeyReused`](Error::KeyReused) if the key was used for
    /// another request; [`NotFound`](Error::NotFound) if the account has been deleted since.
    pub async fn create_once(&self, key: &str, new: NewCustomer) -> Result<Customer> {
        let once = once("create", key, &new)?;
        let details = new.check()?;
        if let Some(done) = self.store.recall(&once).await? {
            return self.get(done.customer).await;
        }
        self.insert(details, Some(&once)).await
    }

    async fn insert(&self, details: Details, once: Option<&Once>) -> Result<Customer> {
        let mut answers = Answers::default();
        self.ask(None, &details, &mut answers).await;
        let draft = Draft::new(None, details, &answers).ok_or_else(no_address)?;
        match self.store.insert(&draft, self.actor.as_deref(), once).await? {
            Outcome::Done(customer) => {
                self.wake_resolver(&draft);
                Ok(*customer)
            }
            Outcome::Repeated | Outcome::Stale => match once {
                // The same request came in at the same time.
                Some(once) => match self.store.recall(once).await? {
                    Some(done) => self.get(done.customer).await,
                    None => Err(Error::KeyReused),
                },
                None => Err(Error::Conflict(draft.customer.id)),
            },
        }
    }

    /// Returns the customer with that id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::Error;
    ///
    /// let ada = customers.create(ada).await?;
    /// assert_eq!(customers.get(ada.id).await?, ada);
    /// let unknown = "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d".parse()?;
    /// assert!(matches!(customers.get(unknown).await, Err(Error::NotFound(id)) if id == unknown));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for a deleted one; [`Store`](Error::Store).
    pub async fn get(&self, id: CustomerId) -> Result<Customer> {
        let customer = self.get_any(id).await?;
        if customer.deleted_at.is_some() { Err(Error::NotFound(id)) } else { Ok(customer) }
    }

    /// Returns the customer with that id, deleted or not.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// let ada = customers.create(ada).await?;
    /// customers.delete(ada.id).await?;
    /// assert!(customers.get(ada.id).await.is_err());
    /// assert!(customers.get_any(ada.id).await?.deleted_at.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Store`](Error::Store).
    pub async fn get_any(&self, id: CustomerId) -> Result<Customer> {
        self.store.get(id).await?.ok_or(Error::NotFound(id))
    }

    /// Returns a page of at most `limit` customers, oldest account first, starting at a
    /// [cursor](Page::next). A page has fewer if their notes are long. Following the cursors shows
    /// every account that stays exactly once, even if others are created, changed or deleted
    /// meanwhile.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// customers.create(ada.clone()).await?;
    /// customers.create(NewCustomer { name: "Grace Hopper".into(), email: "grace@example.com".into(), ..ada }).await?;
    /// let first = customers.list(1, None).await?;
    /// assert_eq!(first.items[0].name, "Ada Lovelace");
    /// let second = customers.list(1, first.next).await?;
    /// assert_eq!((&*second.items[0].name, second.next), ("Grace Hopper", None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the limit is not 1 to [`Page::MAX`]; [`Store`](Error::Store).
    pub async fn list(&self, limit: usize, from: Option<Cursor>) -> Result<Page> {
        self.search(&Filter::default(), limit, from).await
    }

    /// Returns a page of the customers that match a filter, in its order; otherwise like
    /// [`list`](Self::list). In an order other than that of creation, an account that changes
    /// meanwhile may be on two pages or on none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::Filter;
    ///
    /// customers.create(ada).await?;
    /// let named = |name: &str| Filter { name: Some(name.into()), ..Filter::default() };
    /// assert_eq!(customers.search(&named("lovelace"), 10, None).await?.items.len(), 1);
    /// assert_eq!(customers.search(&named("hopper"), 10, None).await?.items.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list), also for an invalid filter, or if the postcode to search around has
    /// no location; [`Lookup`](Error::Lookup) if its location can't be looked up.
    pub async fn search(&self, filter: &Filter, limit: usize, from: Option<Cursor>) -> Result<Page> {
        in_range(limit)?;
        let filter = filter.check()?;
        in_order(from.as_ref(), filter.sort)?;
        let circle = self.circle(&filter).await?;
        Ok(self.store.list(&filter, circle, limit, from.as_ref()).await?)
    }

    /// Counts the customers that match a filter, up to [`Total::MAX`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::Filter;
    ///
    /// customers.create(ada).await?;
    /// let total = customers.count(&Filter::default()).await?;
    /// assert_eq!((total.count, total.exact), (1, true));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn count(&self, filter: &Filter) -> Result<Total> {
        let filter = filter.check()?;
        let circle = self.circle(&filter).await?;
        Ok(self.store.count(&filter, circle).await?)
    }

    /// Returns the circle that a filter asks for.
    async fn circle(&self, filter: &Filter) -> Result<Option<Circle>> {
        let Some((postcode, radius)) = filter.near else { return Ok(None) };
        let answers = check::many(&*self.lookup, &[postcode], self.lookup_timeout).await;
        let answer = answers.map_err(Error::Lookup)?.into_iter().next();
        let location = answer.as_ref().and_then(Answer::record).and_then(|record| record.location);
        let Some(centre) = location else {
            let what = format!("near: {postcode} has no known location: give a postcode that has one");
            return Err(Error::Listing(what));
        };
        Ok(Some(Circle { centre, radius }))
    }

    /// Counts the addresses of each status except verified, without those of deleted accounts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// use customers::{AddressStatus, Customers, Store};
    /// use postcode_core::{Error, ErrorKind, MockPostcodeLookup};
    ///
    /// let mut lookup = MockPostcodeLookup::new();
    /// lookup.expect_lookup().returning(|_| Err(Error::new(ErrorKind::Unavailable, "refused")));
    /// let customers = Customers::new(Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// customers.create(ada).await?;
    /// let counts = customers.address_counts().await?;
    /// assert!(counts.contains(&(AddressStatus::Pending, 1)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn address_counts(&self) -> Result<Vec<(AddressStatus, i64)>> {
        Ok(self.store.address_counts().await?)
    }

    /// Returns at most `limit` changes of an account, oldest first, starting at a
    /// [cursor](AuditPage::next). Works for deleted and erased accounts too. A page of long changes
    /// has fewer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// # use customers::NewCustomer;
    /// # let (name, email, postcode) = ("Ada Lovelace".into(), "ada@example.com".into(), "SW1Y 4JH".into());
    /// # let ada = NewCustomer { name, email, postcode, address_lines: vec!["1 Pall Mall".into()], ..NewCustomer::default() };
    /// let ada = customers.create(ada).await?;
    /// customers.delete(ada.id).await?;
    /// let history = customers.history(ada.id, 10, None).await?;
    /// let actions: Vec<_> = history.items.iter().map(|entry| &*entry.action).collect();
    /// assert_eq!(actions, ["created", "deleted"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) if the account never existed; [`Listing`](Error::Listing) if
    /// the limit is not 1 to [`Page::MAX`]; [`Store`](Error::Store).
    pub async fn history(&self, id: CustomerId, limit: usize, from: Option<Cursor>) -> Result<AuditPage> {
        in_range(limit)?;
        in_order(from.as_ref(), Sort::default())?;
        let begins = from.is_none();
        let page = self.store.history(id, limit, from).await?;
        if page.items.is_empty() && begins {
            // Either the account is older than the audit trail, or it does not exist.
            self.get_any(id).await?;
        }
        Ok(page)
    }

    /// Checks that the store works. Does not ask the lookup: accounts are accepted without it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// assert!(customers.ready().await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// Looks up, in one batch each, the postcodes and the links of the details that have no answer
    /// yet.
    pub(crate) async fn ask(&self, current: Option<&Customer>, details: &Details, answers: &mut Answers) {
        let postcodes = unknown(current, details, answers);
        // One customer is always answered by the same side, even if the lookup is being moved. A new
        // one has no views yet, except of its main postcode.
        let key = match current {
            Some(customer) => customer.id.to_string(),
            None => details.addresses.first().map(|main| main.postcode.to_string()).unwrap_or_default(),
        };
        let checked = unit::scope(key, check::all(&*self.lookup, &postcodes, self.lookup_timeout));
        let links = unknown_links(current, details, answers);
        let (checked, statuses) = tokio::join!(checked, self.link_statuses(&links));
        answers.postcodes.extend(postcodes.into_iter().zip(checked));
        answers.links.extend(links.into_iter().zip(statuses));
    }

    pub(crate) fn wake_resolver(&self, draft: &Draft) {
        if draft.is_pending() {
            self.pending.notify_one();
        }
    }
}

/// Returns the error for details without a main address, which their check rules out.
pub(crate) fn no_address() -> Error {
    Invalid::one("addresses", "has no main address: give one of them the kind main").into()
}

pub(crate) fn once(kind: &str, key: &str, request: &impl serde::Serialize) -> Result<Once> {
    check_key(key)?;
    Once::new(kind, key, request)
}

/// Checks an idempotency key.
pub(crate) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > MAX_TOKEN || !key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        let what = format!("give 1 to {MAX_TOKEN} printable ASCII characters");
        return Err(Invalid::one("idempotency_key", what).into());
    }
    Ok(())
}

/// Checks that a cursor belongs to a listing of that order.
fn in_order(cursor: Option<&Cursor>, sort: Sort) -> Result<()> {
    match cursor.map(Cursor::sort) {
        Some(other) if other != sort => Err(Error::Listing(format!(
            "cursor: it belongs to a listing in the order {other}, and this one has the order {sort}: \
             give the same order with all cursors of a listing"
        ))),
        _ => Ok(()),
    }
}

fn in_range(limit: usize) -> Result<()> {
    if (1..=Page::MAX).contains(&limit) {
        return Ok(());
    }
    Err(Error::Listing(format!("a limit of {limit}: give 1 to {}", Page::MAX)))
}
