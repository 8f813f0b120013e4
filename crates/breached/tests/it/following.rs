//! The list in use follows its file while others look up, and a bad file changes nothing.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use breached::{CurrentList, OpenError, Renewal};

use crate::support::Place;

const EVERY: Duration = Duration::from_secs(60);

#[expect(
    clippy::disallowed_methods,
    reason = "an instant can only be had from the clock; everything after it is counted by hand"
)]
fn start() -> Instant {
    Instant::now()
}

/// A list in use and the hours of the test.
struct Story {
    place: Place,
    current: CurrentList,
    now: Instant,
}

impl Story {
    fn begin() -> Self {
        let place = Place::new();
        let now = start();
        let current = CurrentList::open(&place.list("list", &["old"]), EVERY, now).unwrap();
        Self {
            place,
            current,
            now,
        }
    }

    /// A look at the file when it is due.
    fn look(&mut self) -> Renewal {
        self.now += EVERY;
        self.current.renew(self.now)
    }

    #[track_caller]
    fn holds(&self, password: &str, expected: bool) {
        assert_eq!(
            self.current.contains(password).unwrap(),
            expected,
            "{password}"
        );
    }
}

#[test]
fn a_new_list_is_taken_up_when_the_interval_is_over() {
    let mut story = Story::begin();
    assert!(matches!(story.look(), Renewal::Unchanged));
    story.place.list("list", &["new"]);
    let early = story.now + EVERY - Duration::from_nanos(1);
    assert!(matches!(story.current.renew(early), Renewal::NotDue));
    story.holds("old", true);

    assert!(matches!(story.look(), Renewal::Swapped(list) if list.entries() == 1));
    story.holds("old", false);
    story.holds("new", true);
    assert!(matches!(story.look(), Renewal::Unchanged));
}

#[test]
fn a_bad_file_is_refused_once_and_the_old_list_stays_in_use() {
    let mut story = Story::begin();
    let list = story.place.path("list");
    let good = fs::read(&list).unwrap();
    for bad in [&good[..good.len() - 1], b"another file", b""] {
        fs::rename(story.place.write("bad", bad), &list).unwrap();
        assert!(matches!(story.look(), Renewal::Kept(_)));
        assert!(matches!(story.look(), Renewal::Unchanged));
        story.holds("old", true);
    }
    fs::remove_file(&list).unwrap();
    assert!(matches!(
        story.look(),
        Renewal::Kept(OpenError::Unreadable { .. })
    ));
    assert!(matches!(story.look(), Renewal::Unchanged));
    story.holds("old", true);

    story.place.list("list", &["new"]);
    assert!(matches!(story.look(), Renewal::Swapped(_)));
    story.holds("new", true);
}

#[test]
fn a_file_written_over_in_place_is_asked_no_more_until_it_is_whole() {
    let mut story = Story::begin();
    let whole = fs::read(story.place.list("other", &["new"])).unwrap();
    story.place.write("list", &whole[..whole.len() - 7]);
    assert!(matches!(
        story.look(),
        Renewal::Lost(OpenError::Length { .. })
    ));
    assert!(story.current.list().is_none());
    story.current.contains("old").unwrap_err();
    assert!(matches!(story.look(), Renewal::Unchanged));

    story.place.write("list", &whole);
    assert!(matches!(story.look(), Renewal::Swapped(_)));
    story.holds("new", true);
}

#[test]
fn a_file_that_is_not_there_yet_is_told_once_and_taken_up_when_it_comes() {
    let (place, mut now) = (Place::new(), start());
    let current = CurrentList::follow(&place.path("list"), EVERY, now);
    assert!(matches!(
        current.renew(now),
        Renewal::Lost(OpenError::Unreadable { .. })
    ));
    current.contains("new").unwrap_err();
    now += EVERY;
    assert!(matches!(current.renew(now), Renewal::Unchanged));

    fs::rename(place.write("bad", b"another file"), place.path("list")).unwrap();
    now += EVERY;
    assert!(matches!(
        current.renew(now),
        Renewal::Lost(OpenError::Foreign { .. })
    ));
    place.list("list", &["new"]);
    now += EVERY;
    assert!(matches!(current.renew(now), Renewal::Swapped(_)));
    assert!(current.contains("new").unwrap());
}

#[test]
fn look_ups_go_on_through_a_hundred_replacements() {
    let mut story = Story::begin();
    story.place.list("list", &["always", "round 0"]);
    assert!(matches!(story.look(), Renewal::Swapped(_)));
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let Story {
        place,
        current,
        mut now,
    } = story;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(current.contains("always").unwrap());
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let ended = Ended(&done);
        for round in 1..=100 {
            let newest = format!("round {round}");
            place.list("list", &["always", &newest]);
            now += EVERY;
            assert!(matches!(current.renew(now), Renewal::Swapped(_)));
            assert!(current.contains(&newest).unwrap());
        }
        drop(ended);
    });
    assert!(asked.into_inner() > 0);
}

/// Ends the threads that look up, also when the test fails before its end.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
