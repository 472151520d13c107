//! A lookup that is wrong about one postcode.

use postcode_core::layers::Around;
use postcode_core::layers::call::{Call, LookupCall};
use postcode_core::{Answer, Local, Postcode, Result};

/// Answers everything from a dataset, but is wrong about one postcode.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) inner: Local,
    pub(crate) about: Postcode,
}

impl Around for Wrong {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        call.on(&self.inner).await
    }

    async fn around_lookup<C: LookupCall<Local>>(&self, call: C) -> Result<C::Reply> {
        let mut answers = Vec::new();
        self.inner.dataset().get_many(call.postcodes(), &mut answers);
        for (postcode, answer) in call.postcodes().iter().zip(&mut answers) {
            if let (true, Answer::Live(record)) = (*postcode == self.about, answer) {
                record.quality = Some(7);
            }
        }
        C::reply_all(answers)
    }
}

postcode_core::layer!([] Wrong);
