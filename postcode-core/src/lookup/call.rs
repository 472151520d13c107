//! A call of a lookup as a value, so that a layer is written once and not once per method.

use std::fmt::{self, Debug, Display};
use std::pin::Pin;

use crate::{Answer, Postcode, Result};

/// The future that a method of a lookup returns: boxed, `Send`, and with a [`Result`].
///
/// ```
/// # #[cfg(feature = "dataset")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
/// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
/// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
/// # builder.push(&Row::live("SW1A 2AA".parse()?))?;
/// # let library = postcode_core::Local::new(builder.build()?);
/// use postcode_core::layers::call::Reply;
/// use postcode_core::{Answer, Postcode, PostcodeLookup};
///
/// fn asked<'a>(lookup: &'a dyn PostcodeLookup, postcode: Postcode) -> Reply<'a, Answer> {
///     lookup.lookup_one(postcode)
/// }
///
/// assert!(asked(&library, "SW1A 1AA".parse()?).await?.is_live());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "dataset"))]
/// # fn main() {}
/// ```
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

#[doc(hidden)]
pub trait Sealed {}

/// A call of a lookup `L` with its arguments. [`on`](Call::on) makes it, any number of times. There is one for each method
/// of the lookup traits. Its `Display` names it in messages, such as `lookup of SW1A 1AA`.
///
/// ```
/// use postcode_core::PostcodeLookup;
/// use postcode_core::layers::call::{Call, LookupOne};
///
/// type Any = dyn PostcodeLookup;
/// let call = LookupOne::new("SW1A 1AA".parse()?);
/// assert_eq!(call.to_string(), "lookup of SW1A 1AA");
/// assert_eq!(<LookupOne<'_> as Call<Any>>::NAME, "lookup_one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Call<L: ?Sized>: Sealed + Clone + Debug + Display + Send + Sync {
    /// The type of the answer.
    type Reply: Clone + Debug + PartialEq + Send + Sync + 'static;
    /// The same call, owning its arguments.
    type Owned: Call<L, Reply = Self::Reply> + 'static;

    /// The name of the method.
    const NAME: &'static str;
    /// Whether two implementations must give the same answer. False for random postcodes and for
    /// the information about the implementation itself.
    const COMPARABLE: bool;

    /// Makes the call on a lookup.
    ///
    /// ```
    /// # #[cfg(feature = "dataset")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
    /// # let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    /// # builder.push(&Row::live("SW1A 1AA".parse()?))?;
    /// # builder.push(&Row::terminated("AB1 0AA".parse()?))?;
    /// # let library = postcode_core::Local::new(builder.build()?);
    /// use postcode_core::layers::call::{Call, LookupOne};
    ///
    /// let call = LookupOne::new("SW1A 1AA".parse()?);
    /// assert!(call.on(&library).await?.is_live());
    /// assert!(call.on(&library).await?.is_live()); // any number of times
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "dataset"))]
    /// # fn main() {}
    /// ```
    fn on<'a>(&'a self, lookup: &'a L) -> Reply<'a, Self::Reply>;

    /// Returns the same call with owned arguments.
    ///
    /// ```
    /// # use postcode_core::PostcodeLookup;
    /// use postcode_core::layers::call::{Autocomplete, Call};
    ///
    /// fn later(typed: &str) -> Autocomplete<'static> {
    ///     Call::<dyn PostcodeLookup>::into_owned(Autocomplete::new(typed, 10))
    /// }
    /// assert_eq!(later("SW1A").prefix, "SW1A");
    /// ```
    fn into_owned(self) -> Self::Owned;

    /// Returns where two different replies differ: the affected part of the call, and its two
    /// answers.
    ///
    /// ```
    /// # use postcode_core::{Answer, PostcodeLookup};
    /// use postcode_core::layers::call::{Call, LookupOne};
    ///
    /// let call = LookupOne::new("SW1A 1AA".parse()?);
    /// let (what, one, other) = Call::<dyn PostcodeLookup>::difference(&call, &Answer::Unknown, &Answer::NotCovered);
    /// assert_eq!((&*what, &*one, &*other), ("lookup of SW1A 1AA", "Unknown", "NotCovered"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
        (self.to_string(), format!("{one:#?}"), format!("{other:#?}"))
    }
}

/// A lookup of one postcode or of many.
///
/// A layer that answers lookups itself reads the [`postcodes`](Self::postcodes), and makes the reply with
/// [`reply_one`](Self::reply_one) or [`reply_all`](Self::reply_all):
///
/// ```
/// # use postcode_core::{Answer, PostcodeLookup, Result};
/// use postcode_core::layers::call::{LookupCall, LookupOne};
///
/// /// Answers "unknown" to every lookup.
/// fn nothing<C: LookupCall<dyn PostcodeLookup>>(call: &C) -> Result<C::Reply> {
///     match call.postcodes() {
///         [_one] => Ok(C::reply_one(Answer::Unknown)),
///         many => C::reply_all(vec![Answer::Unknown; many.len()]),
///     }
/// }
///
/// assert_eq!(nothing(&LookupOne::new("SW1A 1AA".parse()?))?, Answer::Unknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait LookupCall<L: ?Sized>: Call<L> {
    /// Returns the postcodes.
    ///
    /// ```
    /// use postcode_core::layers::call::{LookupCall, LookupOne};
    /// use postcode_core::PostcodeLookup;
    ///
    /// let call = LookupOne::new("SW1A 1AA".parse()?);
    /// let postcodes = LookupCall::<dyn PostcodeLookup>::postcodes(&call);
    /// assert_eq!(postcodes, ["SW1A 1AA".parse()?]);
    /// # Ok::<(), postcode_core::ParseError>(())
    /// ```
    fn postcodes(&self) -> &[Postcode];

    /// Makes the reply to a lookup of one postcode.
    ///
    /// ```
    /// use postcode_core::layers::call::{Lookup, LookupCall, LookupOne};
    /// use postcode_core::{Answer, PostcodeLookup};
    ///
    /// type Any = dyn PostcodeLookup;
    /// assert_eq!(<LookupOne<'_> as LookupCall<Any>>::reply_one(Answer::Unknown), Answer::Unknown);
    /// assert_eq!(<Lookup<'_> as LookupCall<Any>>::reply_one(Answer::Unknown), [Answer::Unknown]);
    /// ```
    fn reply_one(answer: Answer) -> Self::Reply;

    /// Makes the reply from an answer for each postcode.
    ///
    /// ```
    /// use postcode_core::layers::call::{Lookup, LookupCall, LookupOne};
    /// use postcode_core::{Answer, PostcodeLookup};
    ///
    /// type Any = dyn PostcodeLookup;
    /// let answers = vec![Answer::Unknown, Answer::NotCovered];
    /// assert_eq!(<Lookup<'_> as LookupCall<Any>>::reply_all(answers.clone())?, answers);
    /// assert!(<LookupOne<'_> as LookupCall<Any>>::reply_all(vec![]).is_err());
    /// # Ok::<(), postcode_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) if there is no answer for the one postcode that was asked for.
    fn reply_all(answers: Vec<Answer>) -> Result<Self::Reply>;
}

/// Makes the calls of a trait from the list of its operations. Also for a trait of another crate, whose calls need a `Display`
/// each.
#[doc(hidden)]
#[macro_export]
macro_rules! calls {
    ([] $trait:ident $(
        $method:ident $call:ident $hook:ident $same:ident
        ($(&$by_ref:ident: $of:ty),*; $($value:ident: $type:ty),*) -> $reply:ty;
    )*) => {$(
        #[doc = concat!("A call of [`", stringify!($method), "`](crate::", stringify!($trait), "::", stringify!($method), ").")]
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each field is the argument of that name")]
        pub struct $call<'a> {
            $(pub $by_ref: std::borrow::Cow<'a, $of>,)*
            $(pub $value: $type,)*
            arguments: std::marker::PhantomData<&'a ()>,
        }

        impl<'a> $call<'a> {
            /// Creates a call with these arguments.
            #[allow(clippy::new_without_default, reason = "a call is made, and has no usual value")]
            pub fn new($($by_ref: &'a $of,)* $($value: $type),*) -> Self {
                Self {
                    $($by_ref: std::borrow::Cow::Borrowed($by_ref),)*
                    $($value,)*
                    arguments: std::marker::PhantomData,
                }
            }
        }

        impl $crate::private::Sealed for $call<'_> {}

        impl<L: $trait + ?Sized> $crate::private::Call<L> for $call<'_> {
            type Reply = $reply;
            type Owned = $call<'static>;

            const NAME: &'static str = stringify!($method);
            const COMPARABLE: bool = $same;

            fn on<'a>(&'a self, lookup: &'a L) -> $crate::private::Reply<'a, Self::Reply> {
                lookup.$method($(&self.$by_ref,)* $(self.$value),*)
            }

            fn into_owned(self) -> Self::Owned {
                $call {
                    $($by_ref: std::borrow::Cow::Owned(self.$by_ref.into_owned()),)*
                    $($value: self.$value,)*
                    arguments: std::marker::PhantomData,
                }
            }

            $crate::call_difference!($call);
        }
    )*};
}

/// A batch differs by its first item whose answers differ; the other calls as a whole. The calls for addresses are named
/// here by what was asked, because only operators see a difference. Their `Display` counts, because it is in logs.
#[doc(hidden)]
#[macro_export]
macro_rules! call_difference {
    (Lookup) => {
        fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
            if one.len() != other.len() {
                return (
                    self.to_string(),
                    format!("{} answers", one.len()),
                    format!("{} answers", other.len()),
                );
            }
            match self.postcodes.iter().zip(one.iter().zip(other)).find(|(_, (one, other))| one != other) {
                Some((postcode, (one, other))) => {
                    (LookupOne::new(*postcode).to_string(), format!("{one:#?}"), format!("{other:#?}"))
                }
                None => (self.to_string(), String::new(), String::new()),
            }
        }
    };
    (AddressesOf) => { $crate::call_difference!(@items postcodes "addresses of"); };
    (AddressesByNumber) => { $crate::call_difference!(@items numbers "addresses with"); };
    (AddressPageOf) => {
        fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
            let Self { postcode, skip, limit, .. } = self;
            let query = format!("addresses of {postcode} (limit {limit}, after {skip})");
            (query, format!("{one:#?}"), format!("{other:#?}"))
        }
    };
    (@items $items:ident $what:literal) => {
        fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
            let differs = self.$items.iter().zip(one.iter().zip(other)).find(|(_, (one, other))| one != other);
            match differs {
                Some((item, (one, other))) => {
                    (format!("{} {item}", $what), format!("{one:#?}"), format!("{other:#?}"))
                }
                None => (self.to_string(), format!("{} answers", one.len()), format!("{} answers", other.len())),
            }
        }
    };
    ($call:ident) => {};
}

pub(crate) use calls;

/// A text from a user, escaped, and truncated if it is longer than any postcode.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 40;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}
