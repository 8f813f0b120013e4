//! What is no whole list of this version is refused with what it is, and never asked.

use std::fs;
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
    for version in [0_u32, 2] {
        let mut other = bytes(&place);
        other[16..20].copy_from_slice(&version.to_le_bytes());
        let (error, told) = refused(&place.write("other", sealed(other)));
        assert!(matches!(error, OpenError::Version { found, .. } if found == version));
        assert!(
            told.contains(&format!("format {version} and this version reads format 1")),
            "{told}"
        );
    }
}

#[test]
fn numbers_that_cannot_be_right_are_refused_though_the_checksum_is() {
    let place = Place::new();
    let whole = bytes(&place);
    let directory = whole.len() - 32;
    for (what, at) in [
        ("kind", 20),
        ("made at", 47),
        ("directory's place", 48),
        ("filters", 56),
        ("filters, high", 59),
        ("filter's place", directory + 8),
        ("window", directory + 24),
        ("spread", directory + 28),
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
fn a_list_cut_short_in_use_fails_at_the_look_up() {
    let place = Place::new();
    let path = place.list("list", &PASSWORDS);
    let list = BreachList::open(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(130).unwrap();
    list.contains("password").unwrap_err();
}

/// The bytes with the checksum that fits them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut sum = digest::Context::new(&digest::SHA256);
    sum.update(&bytes[128..]);
    sum.update(&bytes[..96]);
    bytes[96..128].copy_from_slice(sum.finish().as_ref());
    bytes
}
