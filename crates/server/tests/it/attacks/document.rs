//! `docs/attacks.md` says what is: its paths and tests exist, its rows are complete, and no attack test is missing in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

const ATTACKS: &str = "server/tests/it/attacks";
const LAST_ROW: u32 = 54;
/// The rows that the path of a password login must answer for.
const REQUIRED: [u32; 48] = [
    1, 2, 3, 4, 5, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29,
    30, 31, 32, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 46, 47, 48, 49, 50, 51, 52, 53, 54,
];

/// One line of the table.
#[derive(Debug)]
struct Row {
    /// A number, or a letter and a number where no advisory stands behind it.
    number: String,
    stopped_in: Vec<String>,
    tests: Vec<String>,
}

fn crates() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> String {
    fs::read_to_string(crates().join("../docs/attacks.md")).unwrap()
}

/// The lines that begin with a number, with or without a letter.
fn rows(document: &str) -> Vec<Row> {
    let cells = document.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        let number = *cells.first()?;
        let digits = number.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let _: u32 = digits.parse().ok()?;
        Some((number.to_owned(), cells))
    });
    cells
        .map(|(number, cells)| {
            assert_eq!(cells.len(), 5, "row {number} has five cells");
            Row {
                number,
                stopped_in: quoted(cells[3]),
                tests: quoted(cells[4]),
            }
        })
        .collect()
}

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The tests of a source file that run: functions with a test attribute, stories, and names in `on_both!`.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut is_test, mut is_ignored, mut in_list) = (false, false, false);
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            is_ignored |= line.starts_with("#[ignore");
            continue;
        }
        in_list = (in_list && line != "}") || line == "on_both! {";
        if let Some((name, _)) = line.split_once(" = ").filter(|_| in_list) {
            found.insert(name.to_owned());
        }
        let function = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "));
        if let Some((name, parameters)) = function.and_then(|text| text.split_once('(')) {
            let is_story =
                parameters.starts_with("world: World)") || parameters.starts_with("stage: Stage)");
            if (is_test || is_story) && !is_ignored {
                found.insert(name.to_owned());
            }
        }
        (is_test, is_ignored) = (false, false);
    }
    found
}

#[test]
fn every_row_names_what_exists() {
    for row in rows(&document()) {
        let number = &row.number;
        assert!(
            !row.stopped_in.is_empty() && !row.tests.is_empty(),
            "row {number} has no place or no test"
        );
        for path in &row.stopped_in {
            assert!(
                crates().join(path).is_file(),
                "row {number}: there is no {path}"
            );
        }
        for test in &row.tests {
            let (path, name) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("row {number}: {test} is no path::name"));
            let source = fs::read_to_string(crates().join(path));
            let source = source.unwrap_or_else(|_| panic!("row {number}: there is no {path}"));
            assert!(
                tests_of(&source).contains(name),
                "row {number}: there is no test {name} in {path}"
            );
        }
    }
}

#[test]
fn every_row_is_there_once() {
    let document = document();
    let (table, later) = document.split_once("## Belongs to later work").unwrap();
    let numbers: Vec<u32> = rows(table)
        .iter()
        .filter_map(|row| row.number.parse().ok())
        .collect();
    assert_eq!(numbers, REQUIRED);
    let listed = later
        .lines()
        .find_map(|line| line.strip_prefix("Rows "))
        .unwrap();
    let listed: Vec<u32> = listed
        .trim_end_matches('.')
        .split(", ")
        .map(|number| number.parse().unwrap())
        .collect();
    let others: Vec<u32> = (1..=LAST_ROW)
        .filter(|number| !REQUIRED.contains(number))
        .collect();
    assert_eq!(listed, others);
}

#[test]
fn every_attack_test_is_named_by_a_row() {
    let rows = rows(&document());
    let named: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.tests)
        .map(String::as_str)
        .collect();
    let modules = fs::read_to_string(crates().join(ATTACKS).join("mod.rs")).unwrap();
    for entry in fs::read_dir(crates().join(ATTACKS)).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let module = file.trim_end_matches(".rs");
        if module == "mod" {
            continue;
        }
        assert!(
            modules.contains(&format!("mod {module};")),
            "{file} is not compiled"
        );
        let source = fs::read_to_string(crates().join(ATTACKS).join(&file)).unwrap();
        for name in tests_of(&source)
            .into_iter()
            .filter(|_| module != "document")
        {
            let test = format!("{ATTACKS}/{file}::{name}");
            assert!(
                named.contains(test.as_str()),
                "no row of docs/attacks.md names {test}"
            );
        }
    }
}

#[test]
fn only_what_runs_is_a_test() {
    let source = "
        #[test]
        fn plain() {}
        #[tokio::test(flavor = \"multi_thread\")]
        async fn waits() {}
        #[test]
        #[ignore]
        fn never_runs() {}
        fn helps() {}
        async fn tells(world: &World) {}
        async fn story(world: World) {
        on_both! {
            on_two = story;
        }
        let gone = here;
        // fn commented(world: World)
    ";
    let expected = ["on_two", "plain", "story", "waits"].map(str::to_owned);
    assert_eq!(tests_of(source), BTreeSet::from(expected));
}
