//! Changes of existing accounts.

use crate::audit::Action;
use crate::draft::{Answers, Draft, now};
use crate::input::{AddressDetails, Details, Invalid, addresses};
use crate::service::{no_address, once};
use crate::store::{Once, Outcome};
use crate::{
    Address, AddressKind, Customer, CustomerId, CustomerPatch, Customers, Error, NewAddress, NewCustomer,
    Result,
};

/// How often a change is retried because another change came in between.
const ATTEMPTS: usize = 16;

impl Customers {
    /// Replaces a customer's data. Postcodes that changed or are pending are looked up again.
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
    /// let stored = customers.create(ada.clone()).await?;
    /// let new = NewCustomer { postcode: "SE1 2DL".into(), ..ada };
    /// assert_eq!(customers.replace(stored.id, new).await?.postcode, "SE1 2DL".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid), [`NotFound`](Error::NotFound),
    /// [`EmailTaken`](Error::EmailTaken), [`Precondition`](Error::Precondition),
    /// [`Conflict`](Error::Conflict), [`Store`](Error::Store).
    pub async fn replace(&self, id: CustomerId, new: NewCustomer) -> Result<Customer> {
        self.patch(id, new.into()).await
    }

    /// Changes some of a customer's fields; otherwise like [`replace`](Self::replace).
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
    /// use customers::CustomerPatch;
    ///
    /// let ada = customers.create(ada).await?;
    /// let patch = CustomerPatch { name: Some("Ada King".into()), ..CustomerPatch::default() };
    /// let changed = customers.patch(ada.id, patch).await?;
    /// assert_eq!((&*changed.name, changed.email), ("Ada King", ada.email));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub async fn patch(&self, id: CustomerId, patch: CustomerPatch) -> Result<Customer> {
        let to = |customer: &Customer| Ok(patch.clone().check(Some(customer))?);
        self.change(id, Action::Changed, None, to).await
    }

    /// Adds an address to a customer. Returns the customer and the address's number. With a key the
    /// address is added only once, as by [`create_once`](Self::create_once).
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
    /// use customers::{AddressKind, NewAddress};
    ///
    /// let ada = customers.create(ada).await?;
    /// let billing = NewAddress {
    ///     kind: AddressKind::Billing,
    ///     postcode: "SE1 2DL".into(),
    ///     address_lines: vec!["1 Shad Thames".into()],
    ///     ..NewAddress::default()
    /// };
    /// let (ada, number) = customers.add_address(ada.id, billing, None).await?;
    /// assert_eq!((number, ada.addresses.len()), (2, 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`replace`](Self::replace); [`KeyReused`](Error::KeyReused).
    pub async fn add_address(
        &self,
        id: CustomerId,
        new: NewAddress,
        key: Option<&str>,
    ) -> Result<(Customer, i64)> {
        let new = NewAddress { id: None, ..new };
        let once = key.map(|key| once(&format!("{id}/addresses"), key, &new)).transpose()?;
        if let Some(once) = &once
            && let Some(done) = self.store.recall(once).await?
        {
            return Ok((self.get(id).await?, done.number));
        }
        let to = |customer: &Customer| {
            let mut details = Details::of(customer);
            details.addresses.push(one(new.clone(), None)?);
            sole_main(&details)?;
            Ok(details)
        };
        match self.change(id, Action::AddressAdded, once.as_ref(), to).await {
            Ok(customer) => {
                let number = customer.next_address - 1;
                Ok((customer, number))
            }
            // The same request at the same time: it claimed the key and changed the revision.
            Err(error @ (Error::KeyReused | Error::Precondition(..))) => match &once {
                Some(once) => match self.store.recall(once).await? {
                    Some(done) => Ok((self.get(id).await?, done.number)),
                    None => Err(error),
                },
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Replaces one address of a customer.
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
    /// use customers::{AddressKind, NewAddress};
    ///
    /// let ada = customers.create(ada).await?;
    /// let moved = NewAddress {
    ///     kind: AddressKind::Main,
    ///     postcode: "SE1 2DL".into(),
    ///     address_lines: vec!["1 Shad Thames".into()],
    ///     ..NewAddress::default()
    /// };
    /// let ada = customers.replace_address(ada.id, 1, moved).await?;
    /// assert_eq!(ada.postcode, "SE1 2DL".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`replace`](Self::replace); [`NoAddress`](Error::NoAddress).
    pub async fn replace_address(&self, id: CustomerId, number: i64, new: NewAddress) -> Result<Customer> {
        let new = NewAddress { id: Some(number), ..new };
        let to = |customer: &Customer| {
            let (mut details, place) = placed(customer, number)?;
            details.addresses[place] = one(new.clone(), customer.address(number))?;
            sole_main(&details)?;
            Ok(details)
        };
        self.change(id, Action::AddressChanged, None, to).await
    }

    /// Removes one address of a customer, which must not be the main one.
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
    /// let error = customers.remove_address(ada.id, 1).await.unwrap_err();
    /// assert!(matches!(error, Error::MainAddress(_, 1)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`replace`](Self::replace); [`NoAddress`](Error::NoAddress),
    /// [`MainAddress`](Error::MainAddress).
    pub async fn remove_address(&self, id: CustomerId, number: i64) -> Result<Customer> {
        let to = |customer: &Customer| {
            let (mut details, place) = placed(customer, number)?;
            if place == 0 {
                return Err(Error::MainAddress(customer.id, number));
            }
            details.addresses.remove(place);
            Ok(details)
        };
        self.change(id, Action::AddressRemoved, None, to).await
    }

    /// Reads the customer, looks its postcodes up, and writes only if nothing else has written in
    /// between. So no transaction is open during a lookup, and no answer is stored for a postcode
    /// that has been replaced.
    async fn change(
        &self,
        id: CustomerId,
        action: Action,
        once: Option<&Once>,
        to: impl Fn(&Customer) -> Result<Details>,
    ) -> Result<Customer> {
        let mut answers = Answers::default();
        for _ in 0..ATTEMPTS {
            let customer = self.get(id).await?;
            self.permit(&customer)?;
            let details = to(&customer)?;
            self.ask(Some(&customer), &details, &mut answers).await;
            let draft = Draft::new(Some(&customer), details, &answers).ok_or_else(no_address)?;
            match self.store.update(&customer, &draft, action, self.actor.as_deref(), once).await? {
                Outcome::Done(customer) => {
                    self.wake_resolver(&draft);
                    return Ok(*customer);
                }
                Outcome::Repeated => return Err(Error::KeyReused),
                Outcome::Stale => {}
            }
        }
        Err(Error::Conflict(id))
    }

    /// Deletes an account. It can be [restored](Self::restore).
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
    /// customers.delete(ada.id).await?;
    /// assert!(matches!(customers.get(ada.id).await, Err(Error::NotFound(_))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Precondition`](Error::Precondition),
    /// [`Conflict`](Error::Conflict), [`Store`](Error::Store).
    pub async fn delete(&self, id: CustomerId) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let customer = self.get(id).await?;
            self.permit(&customer)?;
            let mut after = next(&customer);
            after.deleted_at = Some(after.updated_at);
            if self.store.mark(&customer, &after, Action::Deleted, self.actor.as_deref()).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict(id))
    }

    /// Restores a deleted account. Does nothing to an account that is not deleted.
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
    /// assert_eq!(customers.restore(ada.id).await?.deleted_at, None);
    /// assert_eq!(customers.get(ada.id).await?.name, "Ada Lovelace");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`delete`](Self::delete); [`EmailTaken`](Error::EmailTaken) if another account has taken
    /// the email since.
    pub async fn restore(&self, id: CustomerId) -> Result<Customer> {
        for _ in 0..ATTEMPTS {
            let customer = self.get_any(id).await?;
            self.permit(&customer)?;
            if customer.deleted_at.is_none() {
                return Ok(customer);
            }
            let mut after = next(&customer);
            after.deleted_at = None;
            if self.store.mark(&customer, &after, Action::Restored, self.actor.as_deref()).await? {
                self.pending.notify_one();
                return Ok(after);
            }
        }
        Err(Error::Conflict(id))
    }

    /// Erases an account, deleted or not, and all data about its person, for good. The audit trail
    /// only keeps that an account with this id was erased, when and by whom.
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
    /// customers.erase(ada.id).await?;
    /// assert!(customers.get_any(ada.id).await.is_err());
    /// let history = customers.history(ada.id, 10, None).await?;
    /// assert_eq!(history.items.last().map(|entry| &*entry.action), Some("erased"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub async fn erase(&self, id: CustomerId) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let customer = self.get_any(id).await?;
            self.permit(&customer)?;
            if self.store.erase(&customer, self.actor.as_deref()).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict(id))
    }

    /// Checks that the customer is at a revision that the caller allows to be changed.
    fn permit(&self, customer: &Customer) -> Result<()> {
        match &self.revisions {
            Some(revisions) if !revisions.contains(&customer.revision) => {
                Err(Error::Precondition(customer.id, customer.revision))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the customer with the next revision.
fn next(customer: &Customer) -> Customer {
    let mut after = customer.clone();
    after.revision += 1;
    after.updated_at = customer.updated_at.max(now());
    after
}

fn one(new: NewAddress, stored: Option<&Address>) -> Result<AddressDetails> {
    let mut invalid = Invalid::default();
    match new.check(&mut invalid, "", stored) {
        Some(details) if invalid.errors.is_empty() => Ok(details),
        _ => Err(invalid.into()),
    }
}

/// Returns the customer's details, and the index of the address with that number among them.
fn placed(customer: &Customer, number: i64) -> Result<(Details, usize)> {
    let is = |address: &Address| address.id == number;
    let place = customer.addresses.iter().position(is).ok_or(Error::NoAddress(customer.id, number))?;
    Ok((Details::of(customer), place))
}

/// Checks that there is exactly one main address, and not too many addresses.
fn sole_main(details: &Details) -> Result<()> {
    let mut invalid = Invalid::default();
    let mains = details.addresses.iter().filter(|address| address.kind == AddressKind::Main).count();
    if mains != 1 {
        let what = if mains == 0 {
            "the main address must stay main: to make another address main, change both by PATCH of the \
             customer's addresses"
        } else {
            "the customer already has a main address: change that one, or both by PATCH of the customer's \
             addresses"
        };
        invalid.add("kind", what);
    }
    addresses::limit(&mut invalid, &details.addresses);
    if invalid.errors.is_empty() { Ok(()) } else { Err(invalid.into()) }
}
