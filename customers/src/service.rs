//! The composition: a store, and whatever looks postcodes up.

use std::sync::Arc;
use std::time::Duration;

use postcode_core::{Postcode, PostcodeLookup};
use tokio::sync::Notify;

use crate::check::{self, Checked};
use crate::{Cursor, Customer, CustomerId, CustomerPatch, Error, NewCustomer, Page, Result, Store};

/// How often a change is tried anew because another came between its reading and its writing.
const ATTEMPTS: usize = 16;

/// Customer accounts: every operation, whatever it is called by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Customers {
    pub(crate) store: Store,
    pub(crate) lookup: Arc<dyn PostcodeLookup>,
    pub(crate) lookup_timeout: Duration,
    /// Wakes [`keep_resolving`](Self::keep_resolving): there is an address to ask for.
    pub(crate) pending: Arc<Notify>,
}

impl Customers {
    /// The longest that a lookup is waited for, unless [set](Self::with_lookup_timeout).
    pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

    /// Customers in this store, their postcodes looked up by that.
    pub fn new(store: Store, lookup: Arc<dyn PostcodeLookup>) -> Self {
        Self { store, lookup, lookup_timeout: Self::LOOKUP_TIMEOUT, pending: Arc::default() }
    }

    /// With another limit to the time that a lookup is waited for.
    #[must_use]
    pub fn with_lookup_timeout(self, lookup_timeout: Duration) -> Self {
        Self { lookup_timeout, ..self }
    }

    /// Makes an account. It is accepted whatever becomes of the lookup: see [`AddressStatus`](crate::AddressStatus).
    /// When this returns, the account is on disk.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid), [`Store`](Error::Store).
    pub async fn create(&self, new: NewCustomer) -> Result<Customer> {
        let details = new.check()?;
        let checked = self.check(details.postcode).await;
        let customer = self.store.insert(&details, &checked).await?;
        self.wake_resolver(&checked);
        Ok(customer)
    }

    /// The customer with that id.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Store`](Error::Store).
    pub async fn get(&self, id: CustomerId) -> Result<Customer> {
        self.store.get(id).await?.ok_or(Error::NotFound(id))
    }

    /// A page of at most `limit` customers, oldest account first, from a [cursor](Page::next) on.
    /// Whoever follows the cursors sees every account that stays exactly once, whatever is made,
    /// changed or deleted meanwhile.
    ///
    /// # Errors
    /// [`Listing`](Error::Listing) if the limit is not 1 to [`Page::MAX`]; [`Store`](Error::Store).
    pub async fn list(&self, limit: usize, from: Option<Cursor>) -> Result<Page> {
        if !(1..=Page::MAX).contains(&limit) {
            return Err(Error::Listing(format!("a limit of {limit}: give 1 to {}", Page::MAX)));
        }
        Ok(self.store.list(limit, from).await?)
    }

    /// Replaces what a customer holds. The postcode is looked up again if it changed or is pending.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid), [`NotFound`](Error::NotFound), [`Conflict`](Error::Conflict),
    /// [`Store`](Error::Store).
    pub async fn replace(&self, id: CustomerId, new: NewCustomer) -> Result<Customer> {
        self.change(id, |_| new.clone()).await
    }

    /// Changes some of what a customer holds; as [`replace`](Self::replace).
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub async fn patch(&self, id: CustomerId, patch: CustomerPatch) -> Result<Customer> {
        self.change(id, |customer| patch.clone().over(customer)).await
    }

    /// Reads, looks up, and writes on the condition that nothing else has written in between, so that no
    /// transaction is open during a lookup and no answer is stored for a postcode that is there no more.
    async fn change(&self, id: CustomerId, to: impl Fn(&Customer) -> NewCustomer) -> Result<Customer> {
        let mut asked: Option<(Postcode, Checked)> = None;
        for _ in 0..ATTEMPTS {
            let customer = self.get(id).await?;
            let details = to(&customer).check()?;
            let known = details.postcode == customer.postcode && !customer.check.is_pending();
            let checked = match asked.take() {
                _ if known => Checked { check: customer.check, due: None },
                Some((postcode, checked)) if postcode == details.postcode => checked,
                _ => self.check(details.postcode).await,
            };
            if let Some(customer) = self.store.update(id, customer.revision, &details, &checked).await? {
                self.wake_resolver(&checked);
                return Ok(customer);
            }
            asked = (!known).then_some((details.postcode, checked));
        }
        Err(Error::Conflict(id))
    }

    /// Deletes an account, for good.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Store`](Error::Store).
    pub async fn delete(&self, id: CustomerId) -> Result<()> {
        if self.store.delete(id).await? { Ok(()) } else { Err(Error::NotFound(id)) }
    }

    /// Whether the store answers. The lookup is not asked: accounts are accepted without it.
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    async fn check(&self, postcode: Postcode) -> Checked {
        check::one(&*self.lookup, postcode, self.lookup_timeout).await
    }

    fn wake_resolver(&self, checked: &Checked) {
        if checked.due.is_some() {
            self.pending.notify_one();
        }
    }
}
