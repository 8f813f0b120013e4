//! What is no whole list of this version is refused with what it is, and never asked.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use aws_lc_rs::digest;
use breached::{BreachList, OpenError};

use crate::support::Place;

const PASSWORDS: [&str; 5] = ["password", "123456", "letmein", "dragon", "monkey"];

/// A list's bytes.
fn bytes(place: &Place) -> Vec<u8> {
    fs::read(place.list("list", &PASSWORDS)).unwrap()
}

#[track_caller]
fn refused(path: &Path) -> (OpenError, String) {
    let error = BreachList::open(path).unwrap_err();
    let told = error.to_string();
    assert!(told.contains(path.to_str().unwrap()), "{told}");
    (error, told)
}

#[test]
fn a_whole_list_is_opened() {
    let place = Place::new();
    let path = place.write("copy", bytes(&place));
    let list = BreachList::open(&path).unwrap();
    for password in PASSWORDS {
        assert!(list.contains(password).unwrap(), "{password}");
    }
    assert!(!list.contains("correct horse battery staple").unwrap());
}

#[test]
fn a_list_cut_short_anywhere_or_too_long_is_refused() {
    let place = Place::new();
    let whole = bytes(&place);
    for length in 0..whole.len() {
        let (error, told) = refused(&place.write("cut", &whole[..length]));
        if length < 16 {
            assert!(matches!(error, OpenError::Foreign { .. }), "{told}");
        } else {
            assert!(matches!(error, OpenError::Length { .. }), "{told}");
            assert!(told.contains(&format!("has {length} bytes")), "{told}");
        }
    }
    let longer = [&whole[..], b"\0"].concat();
    let (error, told) = refused(&place.write("longer", longer));
    assert!(matches!(error, OpenError::Length { .. }), "{told}");
}

#[test]
fn a_list_with_any_bit_flipped_is_refused() {
    let place = Place::new();
    let whole = bytes(&place);
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        refused(&place.write("flipped", flipped));
    }
}

#[test]
fn another_file_or_none_is_refused_with_the_way_to_make_one() {
    let place = Place::new();
    for (name, text) in [
        ("empty", &b""[..]),
        ("corpus", b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\r\n"),
        ("database", b"SQLite format 3\0"),
        ("zeros", &[0; 4096]),
    ] {
        let (error, told) = refused(&place.write(name, text));
        assert!(matches!(error, OpenError::Foreign { .. }), "{name}: {told}");
        assert!(told.contains("portcullis breach-list build"), "{told}");
    }
    place.write("folder/00000.txt", "");
    let (error, _) = refused(&place.path("folder"));
    assert!(matches!(error, OpenError::Foreign { .. }));
    let (error, _) = refused(&place.path("missing"));
    assert!(matches!(error, OpenError::Unreadable { .. }));
}

#[test]
fn another_version_is_refused_with_both_numbers() {
    let place = Place::new();
    for version in [0_u32, 1, 3] {
        let mut other = bytes(&place);
        other[16..20].copy_from_slice(&version.to_le_bytes());
        let (error, told) = refused(&place.write("other", sealed(other)));
        assert!(matches!(error, OpenError::Version { found, .. } if found == version));
        assert!(
            told.contains(&format!("format {version} and this version reads format 2")),
            "{told}"
        );
    }
}

#[test]
fn numbers_that_cannot_be_right_are_refused_though_the_checksum_is() {
    let place = Place::new();
    let whole = bytes(&place);
    for (what, at) in [
        ("kind", 20),
        ("made at", 47),
        ("blocks", 48),
        ("blocks, high", 51),
    ] {
        let mut wrong = whole.clone();
        wrong[at] ^= 0x7F;
        let (error, told) = refused(&place.write("wrong", sealed(wrong)));
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::Length { .. }),
            "{what}: {told}"
        );
    }
}

#[test]
fn blocks_out_of_order_are_refused_though_the_checksum_is_right() {
    let place = Place::new();
    let passwords: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let passwords: Vec<&str> = passwords.iter().map(String::as_str).collect();
    let mut list = fs::read(place.list("list", &passwords)).unwrap();
    let second = list.len() - 8;
    list.copy_within(second.., second - 8);
    let (error, told) = refused(&place.write("wrong", sealed(list)));
    assert!(matches!(error, OpenError::Damaged { .. }), "{told}");
}

#[test]
fn a_list_cut_short_in_use_fails_at_the_look_up() {
    let place = Place::new();
    let path = place.list("list", &PASSWORDS);
    let list = BreachList::open(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(130).unwrap();
    list.contains("password").unwrap_err();
}

#[test]
fn a_block_written_over_in_use_fails_at_the_look_up() {
    let place = Place::new();
    let whole = bytes(&place);
    for (what, at) in [("window", 136), ("spread", 138)] {
        let path = place.write("copy", &whole);
        let list = BreachList::open(&path).unwrap();
        let mut wrong = whole.clone();
        wrong[at] = 0x7F;
        fs::write(&path, wrong).unwrap();
        let error = list.contains("password").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{what}");
        assert!(error.to_string().contains("build the list again"));
    }
}

/// The bytes with the checksum that fits them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut sum = digest::Context::new(&digest::SHA256);
    sum.update(&bytes[128..]);
    sum.update(&bytes[..96]);
    bytes[96..128].copy_from_slice(sum.finish().as_ref());
    bytes
}
