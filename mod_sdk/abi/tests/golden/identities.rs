//! The identity section.

use mod_abi::Identity;
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any, proptest},
};

#[test]
fn an_identity() {
    let identity = Identity {
        abi: 3,
        id: "minimal_c".to_owned(),
        version: "0.1.0".to_owned(),
        authors: vec!["Ada".to_owned(), "Grace".to_owned()],
        dependencies: vec!["core ^1".to_owned()],
        codec: "bincode".to_owned(),
    };
    let text =
        "abi: 3\nid: minimal_c\nversion: 0.1.0\ncodec: bincode\nauthor: Ada\nauthor: Grace\ndependency: core ^1\n";
    assert_eq!(identity.to_string(), text);
    assert_eq!(Identity::parse(text.as_bytes()), Ok(identity));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_that_are_no_identity_are_an_error_and_no_panic(
        section in vec(any::<u8>(), 0..256),
        text in any::<String>(),
    ) {
        let _ = Identity::parse(&section);
        let _ = Identity::parse(text.as_bytes());
        let _ = Identity::parse(format!("abi: 1\nid: x\nversion: {text}").as_bytes());
        let _ = Identity::from_file_name(&text);
    }
}
