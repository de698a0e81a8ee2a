use lychgate_core::spiffe::{Peer, SpiffeId};

use super::harness::Folder;

const ID: &str = "spiffe://cluster.local/ns/production/sa/order-service";

#[test]
fn an_authority_signs_svids_into_marked_files() {
    let folder = Folder::new();
    folder.run("svid ca -o ca").ok();
    folder.run(&format!("svid x509 --ca ca --spiffe-id {ID} -o leaf")).ok();
    for name in ["ca.pem", "leaf.pem"] {
        assert!(folder.read(name).starts_with("-----BEGIN CERTIFICATE-----"), "{name}");
    }
    for name in ["ca.key", "leaf.key"] {
        assert!(folder.read(name).starts_with("# lychgate: development only"), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}

#[test]
fn core_reads_the_identity_of_a_certificate_and_refuses_one_with_two() {
    let folder = Folder::new();
    folder.run("svid ca -o ca").ok();
    folder.run(&format!("svid x509 --ca ca --spiffe-id {ID} --dns-name web -o one")).ok();
    folder.run(&format!("svid x509 --ca ca --spiffe-id {ID} --extra-uri spiffe://a/b -o two")).ok();
    let id = SpiffeId::parse(ID.as_bytes()).unwrap();
    assert_eq!(Peer::from_pem(folder.read("one.pem").as_bytes()), Peer::Verified(id));
    assert!(matches!(Peer::from_pem(folder.read("two.pem").as_bytes()), Peer::Malformed(_)));
}

#[test]
fn only_development_authorities_sign() {
    let folder = Folder::new();
    folder.run("svid ca -o ca").ok();
    let unmarked = folder.read("ca.key").lines().skip(1).collect::<Vec<_>>().join("\n");
    folder.write("real.key", unmarked);
    folder
        .run(&format!("svid x509 --ca real --spiffe-id {ID} -o leaf"))
        .refused(&["real.key", "development"]);
    folder.write("broken.key", "# lychgate: development only, never deploy\nnothing");
    folder
        .run(&format!("svid x509 --ca broken --spiffe-id {ID} -o leaf"))
        .refused(&["broken.key", "PKCS#8"]);
    folder.run("svid ca -o ca").refused(&["ca.key", "--force"]);
}

#[test]
fn a_jwt_svid_has_subject_audience_and_expiry() {
    let folder = Folder::new();
    folder.run("token keygen --kid k -o k.json").ok();
    let token = folder.run(&format!("svid jwt --spiffe-id {ID} --audience x --key k.json")).ok();
    let shown = folder.run_with(&["token", "inspect"], &token).ok();
    for part in [&format!("sub \"{ID}\""), "aud [\"x\"]", "exp is in", "typ \"JWT\""] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}
