//! A call of the trait as a value, so that a layer is written once and not once per method.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display};

use futures::future::BoxFuture;

use crate::{
    Answer, DatasetInfo, Nearest, NearestOutcodes, Neighbour, Origin, Outcode, OutcodeOrigin, OutcodeSummary,
    Page, Place, PlaceMatch, PlacePostcodes, PlaceQuery, Postcode, PostcodeLookup, Record, Result,
    ScottishPostcode, Within,
};

mod sealed {
    pub trait Sealed {}
}

/// A call of [`PostcodeLookup`] with its arguments. [`on`](Call::on) makes it, any number of times.
/// Its `Display` names it in messages, such as `lookup of SW1A 1AA`.
pub trait Call: sealed::Sealed + Clone + Debug + Display + Send + Sync {
    /// The type of the answer.
    type Reply: Clone + Debug + PartialEq + Send + Sync + 'static;
    /// The same call, owning its arguments.
    type Owned: Call<Reply = Self::Reply> + 'static;

    /// Whether two implementations must give the same answer. False for random postcodes and for
    /// the information about the implementation itself.
    const COMPARABLE: bool = true;

    /// Makes the call on a lookup.
    fn on<'a, L: PostcodeLookup + ?Sized>(&'a self, lookup: &'a L) -> BoxFuture<'a, Result<Self::Reply>>;

    /// Returns the same call with owned arguments.
    fn into_owned(self) -> Self::Owned;

    /// Returns where two different replies differ: the affected part of the call, and its two
    /// answers.
    fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
        (self.to_string(), format!("{one:#?}"), format!("{other:#?}"))
    }
}

/// [`PostcodeLookup::lookup`].
#[derive(Clone, Debug)]
pub struct Lookup<'a>(pub Cow<'a, [Postcode]>);
/// [`PostcodeLookup::outcode`].
#[derive(Clone, Debug)]
pub struct OutcodeOf(pub Outcode);
/// [`PostcodeLookup::autocomplete`]: the prefix and the limit.
#[derive(Clone, Debug)]
pub struct Autocomplete<'a>(pub Cow<'a, str>, pub usize);
/// [`PostcodeLookup::search`]: the text and the limit.
#[derive(Clone, Debug)]
pub struct Search<'a>(pub Cow<'a, str>, pub usize);
/// [`PostcodeLookup::nearest`].
#[derive(Clone, Debug)]
pub struct NearestTo(pub Nearest);
/// [`PostcodeLookup::within`].
#[derive(Clone, Debug)]
pub struct PageOf<'a>(pub Cow<'a, Within>);
/// [`PostcodeLookup::outcodes`]: the prefix and the limit.
#[derive(Clone, Debug)]
pub struct Outcodes<'a>(pub Cow<'a, str>, pub usize);
/// [`PostcodeLookup::random`].
#[derive(Clone, Debug)]
pub struct Random(pub Option<Outcode>);
/// [`PostcodeLookup::nearest_outcodes`].
#[derive(Clone, Debug)]
pub struct NearestOutcodesTo(pub NearestOutcodes);
/// [`PostcodeLookup::place`].
#[derive(Clone, Debug)]
pub struct PlaceOf<'a>(pub Cow<'a, str>);
/// [`PostcodeLookup::places`]: the text and the limit.
#[derive(Clone, Debug)]
pub struct Places<'a>(pub Cow<'a, str>, pub usize);
/// [`PostcodeLookup::find_places`].
#[derive(Clone, Debug)]
pub struct FindPlaces<'a>(pub Cow<'a, PlaceQuery>);
/// [`PostcodeLookup::place_postcodes`]: the code, the postcode before the first, and the limit.
#[derive(Clone, Debug)]
pub struct PostcodesOfPlace<'a>(pub Cow<'a, str>, pub Option<Postcode>, pub usize);
/// [`PostcodeLookup::random_place`].
#[derive(Clone, Debug)]
pub struct RandomPlace;
/// [`PostcodeLookup::scottish_postcode`].
#[derive(Clone, Debug)]
pub struct ScottishOf(pub Postcode);
/// [`PostcodeLookup::info`].
#[derive(Clone, Debug)]
pub struct Info;

/// Implements the part of [`Call`] that is the same for all calls.
macro_rules! call {
    ($type:ty, $owned:ty, $reply:ty, |$self:ident, $lookup:ident| $on:expr, $into_owned:expr $(, $more:item)*) => {
        impl sealed::Sealed for $type {}
        impl Call for $type {
            type Reply = $reply;
            type Owned = $owned;
            fn on<'a, L: PostcodeLookup + ?Sized>(
                &'a self,
                $lookup: &'a L,
            ) -> BoxFuture<'a, Result<Self::Reply>> {
                let $self = self;
                $on
            }
            fn into_owned(self) -> Self::Owned {
                let $self = self;
                $into_owned
            }
            $($more)*
        }
    };
}

call!(
    Lookup<'_>,
    Lookup<'static>,
    Vec<Answer>,
    |call, lookup| lookup.lookup(&call.0),
    Lookup(call.0.into_owned().into()),
    fn difference(&self, one: &Self::Reply, other: &Self::Reply) -> (String, String, String) {
        if one.len() != other.len() {
            return (self.to_string(), format!("{} answers", one.len()), format!("{} answers", other.len()));
        }
        match self.0.iter().zip(one.iter().zip(other)).find(|(_, (one, other))| one != other) {
            Some((postcode, (one, other))) => {
                (Lookup::one(postcode).to_string(), format!("{one:#?}"), format!("{other:#?}"))
            }
            None => (self.to_string(), String::new(), String::new()),
        }
    }
);
call!(OutcodeOf, Self, Option<OutcodeSummary>, |call, lookup| lookup.outcode(call.0), call);
call!(
    Autocomplete<'_>,
    Autocomplete<'static>,
    Vec<Postcode>,
    |call, lookup| lookup.autocomplete(&call.0, call.1),
    Autocomplete(call.0.into_owned().into(), call.1)
);
call!(
    Search<'_>,
    Search<'static>,
    Vec<Record>,
    |call, lookup| lookup.search(&call.0, call.1),
    Search(call.0.into_owned().into(), call.1)
);
call!(NearestTo, Self, Option<Vec<Neighbour>>, |call, lookup| lookup.nearest(&call.0), call);
call!(
    PageOf<'_>,
    PageOf<'static>,
    Option<Page>,
    |call, lookup| lookup.within(&call.0),
    PageOf(Cow::Owned(call.0.into_owned()))
);
call!(
    Outcodes<'_>,
    Outcodes<'static>,
    Vec<Outcode>,
    |call, lookup| lookup.outcodes(&call.0, call.1),
    Outcodes(call.0.into_owned().into(), call.1)
);
call!(
    Random,
    Self,
    Option<Record>,
    |call, lookup| lookup.random(call.0),
    call,
    const COMPARABLE: bool = false;
);
call!(
    NearestOutcodesTo,
    Self,
    Option<Vec<OutcodeSummary>>,
    |call, lookup| lookup.nearest_outcodes(&call.0),
    call
);
call!(
    PlaceOf<'_>,
    PlaceOf<'static>,
    Option<Place>,
    |call, lookup| lookup.place(&call.0),
    PlaceOf(call.0.into_owned().into())
);
call!(
    Places<'_>,
    Places<'static>,
    Vec<Place>,
    |call, lookup| lookup.places(&call.0, call.1),
    Places(call.0.into_owned().into(), call.1)
);
call!(
    FindPlaces<'_>,
    FindPlaces<'static>,
    Vec<PlaceMatch>,
    |call, lookup| lookup.find_places(&call.0),
    FindPlaces(Cow::Owned(call.0.into_owned()))
);
call!(
    PostcodesOfPlace<'_>,
    PostcodesOfPlace<'static>,
    Option<PlacePostcodes>,
    |call, lookup| lookup.place_postcodes(&call.0, call.1, call.2),
    PostcodesOfPlace(call.0.into_owned().into(), call.1, call.2)
);
call!(
    RandomPlace,
    Self,
    Option<Place>,
    |call, lookup| {
        let RandomPlace = call;
        lookup.random_place()
    },
    call,
    const COMPARABLE: bool = false;
);
call!(ScottishOf, Self, Option<ScottishPostcode>, |call, lookup| lookup.scottish_postcode(call.0), call);
call!(
    Info,
    Self,
    DatasetInfo,
    |call, lookup| {
        let Info = call;
        lookup.info()
    },
    call,
    const COMPARABLE: bool = false;
);

impl<'a> Lookup<'a> {
    /// Creates the lookup of one postcode.
    pub fn one(postcode: &'a Postcode) -> Self {
        Self(Cow::Borrowed(std::slice::from_ref(postcode)))
    }
}

impl Display for Lookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            [one] => write!(f, "lookup of {one}"),
            many => write!(f, "lookup of {} postcodes", many.len()),
        }
    }
}

impl Display for OutcodeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outcode {}", self.0)
    }
}

impl Display for Autocomplete<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "autocomplete of {} (limit {})", Quoted(&self.0), self.1)
    }
}

impl Display for Search<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "search for {} (limit {})", Quoted(&self.0), self.1)
    }
}

impl Display for NearestTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.origin {
            Origin::Postcode(postcode) => write!(f, "nearest to {postcode}")?,
            Origin::Location(at) => write!(f, "nearest to {} {}", at.latitude(), at.longitude())?,
        }
        write!(f, " (within {} m, limit {})", self.0.radius, self.0.limit)
    }
}

impl Display for PageOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postcodes of {} (limit {}", self.0.region, self.0.limit)?;
        if let Some(after) = self.0.after {
            write!(f, ", after {after}")?;
        }
        f.write_str(")")
    }
}

impl Display for Outcodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outcodes from {} (limit {})", Quoted(&self.0), self.1)
    }
}

impl Display for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(outcode) => write!(f, "random postcode of {outcode}"),
            None => f.write_str("random postcode"),
        }
    }
}

impl Display for NearestOutcodesTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.origin {
            OutcodeOrigin::Outcode(outcode) => write!(f, "outcodes nearest to {outcode}")?,
            OutcodeOrigin::Location(at) => {
                write!(f, "outcodes nearest to {} {}", at.latitude(), at.longitude())?;
            }
        }
        write!(f, " (within {} m, limit {})", self.0.radius, self.0.limit)
    }
}

impl Display for PlaceOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place {}", Quoted(&self.0))
    }
}

impl Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "places for {} (limit {})", Quoted(&self.0), self.1)
    }
}

impl Display for FindPlaces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "search for places like {} (limit {}", Quoted(&self.0.text), self.0.limit)?;
        for (label, text) in [("within", &self.0.within), ("type", &self.0.local_type)] {
            if let Some(text) = text {
                write!(f, ", {label} {}", Quoted(text))?;
            }
        }
        f.write_str(")")
    }
}

impl Display for PostcodesOfPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postcodes of place {} (limit {}", Quoted(&self.0), self.2)?;
        match self.1 {
            Some(after) => write!(f, ", after {after})"),
            None => f.write_str(")"),
        }
    }
}

impl Display for RandomPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("random place")
    }
}

impl Display for ScottishOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scottish Postcode Directory's entry of {}", self.0)
    }
}

impl Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dataset information")
    }
}

/// A text from a user, escaped, and truncated if it is longer than any postcode.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 40;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    #[test]
    fn a_call_names_itself() {
        let postcode: Postcode = "SW1A 1AA".parse().unwrap();
        assert_eq!(Lookup::one(&postcode).to_string(), "lookup of SW1A 1AA");
        assert_eq!(Lookup(vec![postcode; 3].into()).to_string(), "lookup of 3 postcodes");
        assert_eq!(Search("a\0b".into(), 7).to_string(), r#"search for "a\0b" (limit 7)"#);
        let long = "é".repeat(300);
        assert!(Autocomplete(long.as_str().into(), 1).to_string().chars().count() < 80);
        let near = Nearest::to(Location::new(51.5, -0.1).unwrap()).radius(50.0).limit(2);
        assert_eq!(NearestTo(near).to_string(), "nearest to 51.5 -0.1 (within 50 m, limit 2)");
        assert_eq!(Random(Some("SW1A".parse().unwrap())).to_string(), "random postcode of SW1A");
    }

    #[test]
    fn the_difference_of_two_batches_is_that_of_the_first_postcode_that_differs() {
        let postcodes: Vec<Postcode> = ["M1 1AD", "M1 1AE"].map(|text| text.parse().unwrap()).into();
        let call = Lookup(postcodes.as_slice().into());
        let (query, one, other) = call
            .difference(&vec![Answer::Unknown, Answer::Unknown], &vec![Answer::Unknown, Answer::NotCovered]);
        assert_eq!((&*query, &*one, &*other), ("lookup of M1 1AE", "Unknown", "NotCovered"));
        let (query, one, other) = call.difference(&vec![], &vec![Answer::Unknown]);
        assert_eq!((&*query, &*one, &*other), ("lookup of 2 postcodes", "0 answers", "1 answers"));
    }
}
