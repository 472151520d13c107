//! Bulk import of customers from a CSV file, in the background, with a report for each row.
//!
//! The file is stored whole or not at all, and each row's account is stored together with the row's
//! outcome. So after a crash the import continues where it was, and no row creates two accounts.

mod work;

use sha2::{Digest, Sha256};

use crate::import::{preview, read};
use crate::service::check_key;
use crate::store::ImportRoom;
use crate::{
    Customers, Error, FailedRow, Import, ImportId, ImportRow, MAX_IMPORT_BYTES, Mapping, Preview, Result,
};

impl Customers {
    /// Accepts a CSV file of customers. When this returns the file is stored, and
    /// [`keep_importing`](Self::keep_importing) works on it. With a key, a repeated upload of the
    /// same file returns the same import.
    ///
    /// The first line names the columns, in any order and case: `name`, `email`, `postcode`, and
    /// `address` (lines separated by `|` or line breaks) or `address_line_1` to `address_line_10`;
    /// also, if you have them, `phone`, `notes`, and `reference:SYSTEM` for the id in another
    /// system. Delimiter, encoding and quoting are found out. A title above the headings is passed over.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square|London\n";
    /// let import = customers.import(file.to_vec(), Some("upload-1")).await?;
    /// // The same file with the same key is not imported again.
    /// assert_eq!(customers.import(file.to_vec(), Some("upload-1")).await?.id, import.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BadImport`](Error::BadImport) if the file is not of this form or too large;
    /// [`TooManyImports`](Error::TooManyImports); [`ImportsFull`](Error::ImportsFull);
    /// [`ImportShareFull`](Error::ImportShareFull);
    /// [`KeyReused`](Error::KeyReused) if the key was used for another file;
    /// [`Store`](Error::Store). An invalid row is reported by the import, not here.
    pub async fn import(&self, file: Vec<u8>, key: Option<&str>) -> Result<Import> {
        self.import_mapped(file, Mapping::default(), key).await
    }

    /// Accepts a CSV file of customers with other headings; otherwise like
    /// [`import`](Self::import).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Mapping;
    ///
    /// let file = b"Kunde,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let mut mapping = Mapping::default();
    /// mapping.set("Kunde", "name")?;
    /// assert_eq!(customers.import_mapped(file.to_vec(), mapping, None).await?.total, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn import_mapped(&self, file: Vec<u8>, mapping: Mapping, key: Option<&str>) -> Result<Import> {
        self.import_holding(file, None, mapping, key, "", ()).await
    }

    /// Imports a file with that name and of that owner (nobody if empty), and keeps `held` until it has been read. A caller that stops waiting does not end
    /// the reading, which is on another thread.
    pub(crate) async fn import_holding(
        &self,
        file: Vec<u8>,
        name: Option<String>,
        mapping: Mapping,
        key: Option<&str>,
        owner: &str,
        held: impl Send + 'static,
    ) -> Result<Import> {
        if let Some(key) = key {
            check_key(key)?;
        }
        let reading = tokio::task::spawn_blocking(move || {
            let _held = held;
            let hex = |bytes: &[u8]| -> String {
                Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
            };
            let digest = hex(&file);
            // Without a mapping it is the digest that earlier versions stored.
            let digest = match mapping.text() {
                text if text.is_empty() => digest,
                text => hex(format!("{digest}\n{text}").as_bytes()),
            };
            read(&file, &mapping).map(|file| (digest, file))
        });
        let (digest, mut file) =
            reading.await.map_err(|_| Error::BadImport("the file could not be read".into()))??;
        file.name = name;
        let room = ImportRoom { most: MAX_IMPORT_BYTES, owner };
        let actor = self.actor.as_deref();
        let import = self.store.add_import(ImportId::generate(), file, actor, key, &digest, room).await?;
        self.imports.notify_one();
        Ok(import)
    }

    /// Returns the headings and the first rows of a file, which may be cut off, and what an import
    /// would make of them. Stores nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Mapping;
    ///
    /// let beginning = b"name,email,postcode\nAda Lovelace,ada@example.com,SW1Y 4JH\n";
    /// let preview = customers.preview_import(beginning.to_vec(), Mapping::default()).await?;
    /// assert_eq!(preview.missing, ["address"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BadImport`](Error::BadImport) if the file has no headings that can be read.
    pub async fn preview_import(&self, file: Vec<u8>, mapping: Mapping) -> Result<Preview> {
        self.preview_holding(file, mapping, ()).await
    }

    /// Reads the beginning of a file, and keeps `held` until then; see
    /// [`import_holding`](Self::import_holding).
    pub(crate) async fn preview_holding(
        &self,
        file: Vec<u8>,
        mapping: Mapping,
        held: impl Send + 'static,
    ) -> Result<Preview> {
        let reading = tokio::task::spawn_blocking(move || {
            let _held = held;
            preview(&file, &mapping)
        });
        reading.await.map_err(|_| Error::BadImport("the file could not be read".into()))?
    }

    /// Returns the import with that id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::Error;
    ///
    /// let unknown = "019abc00-8f5e-7c3a-9d2b-1e4f5a6b7c8d".parse()?;
    /// assert!(matches!(customers.get_import(unknown).await, Err(Error::NoImport(id)) if id == unknown));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn get_import(&self, id: ImportId) -> Result<Import> {
        self.store.get_import(id).await?.ok_or(Error::NoImport(id))
    }

    /// Returns the last imports, newest first, at most a hundred.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// assert_eq!(customers.imports().await?, [import]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn imports(&self) -> Result<Vec<Import>> {
        Ok(self.store.imports().await?)
    }

    /// Returns the outcomes of at most `limit` rows after a line, in order: of all rows, or of those with
    /// one outcome, `created` or `failed`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// assert!(customers.import_some().await?);
    /// let rows = customers.import_rows(import.id, Some("created"), 0, 100).await?;
    /// assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2]); // after the heading
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn import_rows(
        &self,
        id: ImportId,
        outcome: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<ImportRow>> {
        let rows = self.store.import_rows(id, outcome, after, limit).await?;
        if rows.is_empty() {
            self.get_import(id).await?;
        }
        Ok(rows)
    }

    /// Returns the headings of an import's file.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// assert_eq!(customers.import_headings(import.id).await?, ["name", "email", "postcode", "address"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn import_headings(&self, id: ImportId) -> Result<Vec<String>> {
        self.store.import_headings(id).await?.ok_or(Error::NoImport(id))
    }

    /// Returns at most `limit` failed rows after a line, in order, with their cells as they were sent. Rows
    /// of an account that has been erased since are left out. An unknown import has none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// while customers.import_some().await? {}
    /// let failed = customers.failed_rows(import.id, 0, 100).await?;
    /// assert_eq!((failed[0].line, &*failed[0].cells[2]), (2, "SW1Y"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Store`](Error::Store).
    pub async fn failed_rows(&self, id: ImportId, after: i64, limit: usize) -> Result<Vec<FailedRow>> {
        Ok(self.store.failed_rows(id, after, limit).await?)
    }

    /// Removes what is kept of the rows that have failed so far: their cells and the reasons. Their lines stay in the
    /// report as failed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// while customers.import_some().await? {}
    /// customers.delete_failed_rows(import.id).await?;
    /// assert!(customers.failed_rows(import.id, 0, 100).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn delete_failed_rows(&self, id: ImportId) -> Result<()> {
        match self.store.delete_failed_rows(id).await? {
            true => Ok(()),
            false => Err(Error::NoImport(id)),
        }
    }

    /// Stops an import. Accounts that it has created stay.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use {std::sync::Arc, postcode_core::{Answer, MockPostcodeLookup, Record}};
    /// # let mut lookup = MockPostcodeLookup::new();
    /// # lookup.expect_lookup().returning(|all| Ok(all.iter().map(|one| Answer::Live(Record::live(*one))).collect()));
    /// # let customers = customers::Customers::new(customers::Store::open("sqlite::memory:").await?, Arc::new(lookup));
    /// use customers::ImportState;
    ///
    /// let file = b"name,email,postcode,address\nAda Lovelace,ada@example.com,SW1Y 4JH,12 St James's Square\n";
    /// let import = customers.import(file.to_vec(), None).await?;
    /// assert_eq!(customers.cancel_import(import.id).await?.state, ImportState::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoImport`](Error::NoImport), [`Store`](Error::Store).
    pub async fn cancel_import(&self, id: ImportId) -> Result<Import> {
        self.store.cancel_import(id).await?;
        self.get_import(id).await
    }
}
