//! The answer root of addresses, and the way from it to those that differ.

use std::io::Cursor;
use std::sync::Arc;

use async_trait::async_trait;
use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::lookup::conformance::{addresses, file};
use postcode_addresses::lookup::wire::AnswerBody;
use postcode_addresses::lookup::{
    AddressAnswer, AddressCoverage, AddressNeighbour, AddressNumber, AddressPage,
};
use postcode_addresses::proof::Tree;
use postcode_addresses::{Address, AddressLookup, LocalAddresses};
use postcode_core::proof::{Hashes, compare};
use postcode_core::wire::Digest;
use postcode_core::{Nearest, Outcode, Postcode, Result};
use sha2::{Digest as _, Sha256};

/// The most requests until every difference is named.
const MOST: usize = 8;

/// Answers from a file, but is wrong about one address of one postcode.
#[derive(Debug)]
struct Wrong {
    inner: LocalAddresses,
    about: Postcode,
    address: usize,
}

impl Wrong {
    /// Changes the address if it is among those of a page after the first `skip`.
    fn spoil(&self, postcode: Postcode, skip: usize, answer: &mut AddressAnswer) {
        if let AddressAnswer::Found(page) = answer
            && let Some(at) = self.address.checked_sub(skip)
            && let Some(address) = page.addresses.get_mut(at)
            && postcode == self.about
        {
            address.delivery_point_suffix = "9Z".into();
        }
    }
}

#[async_trait]
impl AddressLookup for Wrong {
    async fn addresses(&self, postcodes: &[Postcode]) -> Result<Vec<AddressAnswer>> {
        let mut answers = self.inner.addresses(postcodes).await?;
        for (postcode, answer) in postcodes.iter().zip(&mut answers) {
            self.spoil(*postcode, 0, answer);
        }
        Ok(answers)
    }

    async fn address_page(&self, postcode: Postcode, skip: usize, limit: usize) -> Result<AddressAnswer> {
        let mut answer = self.inner.address_page(postcode, skip, limit).await?;
        self.spoil(postcode, skip, &mut answer);
        Ok(answer)
    }

    async fn addresses_by_number(&self, numbers: &[AddressNumber]) -> Result<Vec<Vec<Address>>> {
        self.inner.addresses_by_number(numbers).await
    }

    async fn nearest_addresses(&self, query: &Nearest) -> Result<Option<Vec<AddressNeighbour>>> {
        self.inner.nearest_addresses(query).await
    }

    async fn streets(&self, outcode: Outcode, skip: usize, limit: usize) -> Result<Option<AddressPage>> {
        self.inner.streets(outcode, skip, limit).await
    }

    async fn address_coverage(&self) -> Result<AddressCoverage> {
        self.inner.address_coverage().await
    }
}

async fn tree_of(file: AddressFile) -> Tree {
    let local = LocalAddresses::new(file);
    let file = local.file();
    Tree::build(Arc::new(local), file, 2).await.unwrap()
}

/// The fixture without the addresses of these postcodes.
fn without(postcodes: &[&str]) -> AddressFile {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("fewer")).unwrap();
    for address in addresses().iter().filter(|address| !postcodes.contains(&address.postcode.as_str())) {
        writer.push(address).unwrap();
    }
    AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap()
}

#[tokio::test]
async fn files_with_equal_addresses_have_equal_roots() {
    let (one, other) = (tree_of(file().unwrap()).await, tree_of(without(&[])).await);
    let seen = compare(&one, &other, MOST).await.unwrap();
    assert_eq!((seen.roots[0], seen.requests, seen.is_complete), (seen.roots[1], 1, true));
    assert!(seen.different.is_empty());
}

#[tokio::test]
async fn lookup_that_is_wrong_about_one_address_is_found_by_the_root_and_its_postcode_is_named() {
    let honest = tree_of(file().unwrap()).await;
    // The second is on the second page of its postcode.
    for (about, address) in [("ZE9 9AA", 4), ("ZE9 9AD", 130)] {
        let inner = LocalAddresses::new(file().unwrap());
        let listed = inner.file();
        let wrong = Wrong { inner, about: about.parse().unwrap(), address };
        let wrong = Tree::build(Arc::new(wrong), listed, 2).await.unwrap();
        let seen = compare(&honest, &wrong, MOST).await.unwrap();
        assert_ne!(seen.roots[0], seen.roots[1]);
        assert_eq!((&seen.different[..], seen.is_complete), (&[about.to_owned()][..], true), "{seen:?}");
    }
}

#[tokio::test]
async fn postcode_that_only_one_has_is_named() {
    let seen = compare(&tree_of(file().unwrap()).await, &tree_of(without(&["ZE9 9AA"])).await, MOST).await;
    assert_eq!(seen.unwrap().different, ["ZE9 9AA"]);
}

#[tokio::test]
async fn leaf_is_the_hash_of_the_pages_that_a_service_answers() {
    let tree = tree_of(file().unwrap()).await;
    let asked = ["sector ZE9 9".to_owned(), "sector ZE9 8".to_owned(), "nonsense".to_owned()];
    let proof = tree.proof(&asked).await.unwrap();
    let children = &proof.nodes[0].children;
    assert_eq!(children.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ZE9 9AA", "ZE9 9AD"]);
    assert!(proof.nodes[1].children.is_empty() && proof.nodes[2].children.is_empty());

    let local = LocalAddresses::new(file().unwrap());
    let hall: Postcode = "ZE9 9AD".parse().unwrap();
    let mut bytes = vec![0];
    for skip in [0, 100] {
        let page = local.address_page(hall, skip, 100).await.unwrap();
        bytes.extend(serde_json::to_vec(&AnswerBody::new("ZE9 9AD", Some(&page))).unwrap());
    }
    assert_eq!(children[1].1, Digest(Sha256::digest(&bytes).into()));
}
