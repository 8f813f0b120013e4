//! Corpora in all their forms make the same list, and what is none makes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use breached::{BreachList, Build, BuildError, Coverage, Existing, Fault, Kind};

use crate::support::{Place, build, hex, one_file, part};

const A: &str = "00000A0000000000000000000000000000000000";
const B: &str = "0003F00000000000000000000000000000000000";

fn some() -> impl Iterator<Item = String> {
    (0..500).map(|number| format!("password {number}"))
}

#[test]
fn both_kinds_are_found_by_their_known_hashes() {
    let place = Place::new();
    for (kind, line) in [
        (Kind::Sha1, "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9\n"),
        (Kind::Ntlm, "8846F7EAEE8FB117AD06BDD830B7586C:9\n"),
    ] {
        let from = place.write("corpus", line);
        let out = place.path("list");
        let options = Build {
            kind,
            ..part(&from, &out)
        };
        build(&options).unwrap();
        let list = BreachList::open(&out).unwrap();
        assert_eq!((list.kind(), list.entries(), list.ranges()), (kind, 1, 1));
        assert!(list.contains("password").unwrap());
        assert!(!list.contains("Password").unwrap());
    }
}

#[test]
fn range_files_and_one_file_with_either_line_end_make_the_same_list() {
    for kind in [Kind::Sha1, Kind::Ntlm] {
        let place = Place::new();
        let text = one_file(kind, some());
        let mut lists = Vec::new();
        let mut make = |name: &str| {
            let (from, out) = (place.path(name), place.path("list"));
            let options = Build {
                kind,
                ..part(&from, &out)
            };
            assert_eq!(build(&options).unwrap().entries, 500, "{name}");
            lists.push(fs::read(&out).unwrap());
        };
        place.write("crlf", &text);
        place.write("lf", text.replace('\r', ""));
        place.write("lower", text.to_lowercase());
        place.write("unended", text.trim_end());
        for line in text.lines() {
            let (range, rest) = line.split_at(5);
            // As the range API answers: no line end after the last line.
            let add = |name: String, line: String| {
                let before = fs::read_to_string(place.path(&name)).unwrap_or_default();
                let between = if before.is_empty() { "" } else { "\r\n" };
                place.write(&name, format!("{before}{between}{line}"));
            };
            add(format!("folder/{range}"), rest.to_owned());
            add(format!("texts/{range}.txt"), rest.to_owned());
        }
        for name in ["crlf", "lf", "lower", "unended", "folder", "texts"] {
            make(name);
        }
        assert!(lists.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn padding_and_rare_hashes_are_left_out() {
    let place = Place::new();
    let counted = |password: &str, count: u64| format!("{}:{count}\n", hex(Kind::Sha1, password));
    let mut lines = [
        counted("padding", 0),
        counted("rare", 1),
        counted("known", 10),
        counted("common", 2_000_000_000_000),
    ];
    lines.sort_unstable();
    let (from, out) = (place.write("corpus", lines.concat()), place.path("list"));
    let found = |min_count| {
        let options = Build {
            min_count,
            ..part(&from, &out)
        };
        let built = build(&options).unwrap();
        let list = BreachList::open(&out).unwrap();
        assert_eq!(list.min_count(), min_count);
        let found = ["padding", "rare", "known", "common"].map(|it| list.contains(it).unwrap());
        (built.entries, built.left_out, found)
    };
    assert_eq!(found(1), (3, 0, [false, true, true, true]));
    assert_eq!(found(10), (2, 1, [false, false, true, true]));
    let options = Build {
        min_count: 3_000_000_000_000,
        ..part(&from, &out)
    };
    let told = build(&options).unwrap_err().to_string();
    assert!(told.contains("give a lower --min-count"), "{told}");
}

#[test]
fn hashes_that_begin_alike_are_one_key_and_both_counted() {
    let place = Place::new();
    let hash = hex(Kind::Sha1, "password");
    let line = |end: &str| format!("{}{end}:1\n", &hash[..38]);
    let from = place.write("corpus", line("00") + &line("D8") + &line("FF"));
    let out = place.path("list");
    assert_eq!(build(&part(&from, &out)).unwrap().entries, 3);
    assert!(
        BreachList::open(&out)
            .unwrap()
            .contains("password")
            .unwrap()
    );
}

/// What a source is refused for, and where.
enum Refused {
    Line(u64, Fault),
    File(Fault),
}

#[test]
fn what_is_no_sorted_corpus_makes_nothing_and_says_where_and_what_to_do() {
    use Refused::{File, Line};
    let (a, b) = (format!("{A}:1\n"), format!("{B}:1\n"));
    let ntlm = "0003F000000000000000000000000000:1\n";
    let not = |number| Line(number, Fault::NotALine);
    let long = "A".repeat(1 << 20);
    let bad: Vec<(&str, String, Refused)> = vec![
        ("unsorted", format!("{b}{a}"), Line(2, Fault::Unsorted)),
        ("twice", format!("{a}{b}{b}"), Line(3, Fault::Unsorted)),
        ("empty", String::new(), File(Fault::Empty)),
        ("only padding", format!("{A}:0\n"), File(Fault::Empty)),
        (
            "another kind",
            ntlm.to_owned(),
            Line(1, Fault::OtherKind(Kind::Ntlm)),
        ),
        ("no count", format!("{a}{B}\n"), not(2)),
        ("empty count", format!("{a}{B}:\n"), not(2)),
        ("cut short", format!("{a}{}", &B[..20]), not(2)),
        ("cut after the colon", format!("{a}{B}:"), not(2)),
        ("count that is none", format!("{A}:1x\n"), not(1)),
        ("negative count", format!("{A}:-1\n"), not(1)),
        (
            "count beyond all",
            format!("{A}:{}\n", "9".repeat(21)),
            not(1),
        ),
        ("not hex", format!("{a}{}G:1\n", &B[..39]), not(2)),
        ("one digit more", format!("0{A}:1\n"), not(1)),
        ("range file alone", format!("{}:1\n", &A[5..]), not(1)),
        ("blank line", format!("{a}\n{b}"), not(2)),
        ("byte order mark", format!("\u{feff}{a}"), not(1)),
        ("spaces", format!("{A} : 1\n"), not(1)),
        ("plain passwords", "123456\npassword\n".to_owned(), not(1)),
        ("no line end at all", long, not(1)),
    ];
    for (what, text, expected) in bad {
        let place = Place::new();
        let (from, out) = (place.write("corpus", text), place.path("list"));
        let error = build(&part(&from, &out)).unwrap_err();
        let BuildError::Source { path, line, fault } = &error else {
            panic!("{what}: {error}");
        };
        let (at, wanted) = match expected {
            Line(number, fault) => (Some(number), fault),
            File(fault) => (None, fault),
        };
        assert_eq!((path, line, fault), (&from, &at, &wanted), "{what}");
        assert_eq!(place.names(), ["corpus"], "{what}");
    }
}

#[test]
fn folders_with_foreign_empty_or_double_files_are_refused_by_the_files_name() {
    let line = format!("{}:1\r\n", &A[5..]);
    for (name, text, fault) in [
        ("00001.txt", "", Fault::Empty),
        (".DS_Store", "x", Fault::NotARangeFile),
        ("0000g.txt", &line, Fault::NotARangeFile),
        ("000000.txt", &line, Fault::NotARangeFile),
        ("00001.txt.part", &line, Fault::NotARangeFile),
        ("+0001", &line, Fault::NotARangeFile),
        ("00000.txt", &line, Fault::RangeTwice),
        ("00001", "whatever\n", Fault::NotALine),
    ] {
        let place = Place::new();
        place.write("ranges/00000", &line);
        let bad = place.write(&format!("ranges/{name}"), text);
        let (from, out) = (place.path("ranges"), place.path("list"));
        let error = build(&part(&from, &out)).unwrap_err();
        let BuildError::Source {
            path, fault: found, ..
        } = &error
        else {
            panic!("{name}: {error}");
        };
        assert_eq!((path, found), (&bad, &fault));
        assert_eq!(place.names(), ["ranges"], "{name}");
    }
    let place = Place::new();
    fs::create_dir(place.path("ranges")).unwrap();
    let told = build(&part(&place.path("ranges"), &place.path("list"))).unwrap_err();
    assert!(
        told.to_string().contains("there is nothing in it"),
        "{told}"
    );
}

#[test]
fn a_download_with_gaps_is_refused_unless_a_part_is_wanted() {
    let gap = |text: &str| {
        let place = Place::new();
        let (from, out) = (place.write("corpus", text), place.path("list"));
        let whole = Build {
            coverage: Coverage::Whole,
            ..part(&from, &out)
        };
        let BuildError::Source { fault, .. } = build(&whole).unwrap_err() else {
            panic!("{text}");
        };
        assert_eq!(build(&part(&from, &out)).unwrap().ranges, 2);
        fault
    };
    let next = "0000100000000000000000000000000000000000:1\n";
    let (from, to) = (0x00002, 0xFFFFF);
    assert_eq!(gap(&format!("{A}:1\n{next}")), Fault::Gap { from, to });
    let (from, to) = (0x00001, 0x0003E);
    assert_eq!(gap(&format!("{A}:1\n{B}:1\n")), Fault::Gap { from, to });
    let (from, to) = (0x00000, 0x00000);
    assert_eq!(gap(&format!("{next}{B}:1\n")), Fault::Gap { from, to });
}

#[test]
fn a_whole_corpus_needs_no_leave() {
    let place = Place::new();
    let text: String = (0..1 << 20)
        .map(|range| format!("{range:05X}{}:1\n", &A[5..]))
        .collect();
    let (from, out) = (place.write("corpus", text), place.path("list"));
    let whole = Build {
        coverage: Coverage::Whole,
        ..part(&from, &out)
    };
    assert_eq!(build(&whole).unwrap().ranges, 1 << 20);
    assert_eq!(BreachList::open(&out).unwrap().ranges(), 1 << 20);
}

#[test]
fn an_existing_file_is_replaced_only_when_asked_and_only_by_a_whole_list() {
    let place = Place::new();
    let out = place.write("list", "mine");
    let from = place.write("corpus", format!("{B}:1\n{A}:1\n"));
    let keep = Build {
        existing: Existing::Keep,
        ..part(&from, &out)
    };
    let error = build(&keep).unwrap_err();
    assert!(matches!(error, BuildError::Exists(_)), "{error}");
    build(&part(&from, &out)).unwrap_err();
    assert_eq!(fs::read(&out).unwrap(), b"mine");

    place.write("corpus", format!("{A}:1\n"));
    build(&part(&from, &out)).unwrap();
    BreachList::open(&out).unwrap();
    assert_eq!(place.names(), ["corpus", "list"]);
}

#[test]
fn a_list_may_be_read_by_whom_other_files_may_be_read() {
    let place = Place::new();
    let list = place.list("list", &["password"]);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    // The corpus beside it was written with the usual mode, less what the umask takes.
    assert_eq!(mode(list), mode(place.path("corpus")) & !0o022);
}

#[test]
fn places_that_cannot_be_read_or_written_are_named() {
    let place = Place::new();
    let from = place.write("corpus", format!("{A}:1\n"));
    let nowhere = place.path("missing/list");
    for (from, out, named) in [(&from, &nowhere, &nowhere), (&nowhere, &from, &nowhere)] {
        let told = build(&part(from, out)).unwrap_err().to_string();
        assert!(told.starts_with(named.to_str().unwrap()), "{told}");
    }
}
