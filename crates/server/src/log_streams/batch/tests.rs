use model::{EventCategory, EventType, LogStreamId, LogStreamSettings, LogStreamStatus};

use super::*;

fn stream(content_format: ContentFormat) -> LogStream {
    LogStream {
        id: LogStreamId::new("lst_0000000000000001"),
        status: LogStreamStatus::Active,
        settings: LogStreamSettings {
            name: None,
            endpoint: "https://siem.example.com/".to_owned(),
            content_format,
            content_type: "application/json".to_owned(),
            filters: Vec::new(),
            is_priority: false,
        },
    }
}

fn event(number: usize, event_type: EventType, weight: usize) -> LogEvent {
    LogEvent {
        log_id: LogId::new(format!("900{number:053}")),
        description: "\u{202e}\"\n".repeat(weight),
        ..LogEvent::bare(
            model::from_micros(1_767_225_600_000_000),
            event_type,
            "login.example.com".to_owned(),
        )
    }
}

fn events(count: usize, weight: usize) -> Vec<LogEvent> {
    let each = |number| event(number, EventType::WrongPassword, weight);
    (0..count).map(each).collect()
}

fn texts(batch: &Batch) -> &str {
    std::str::from_utf8(&batch.body).unwrap()
}

#[test]
fn each_format_holds_every_event_in_order() {
    let events = events(3, 1);
    let ids = |values: Vec<Value>| -> Vec<String> {
        let id = |value: &Value| {
            assert_eq!(value["log_id"], value["data"]["log_id"]);
            value["log_id"].as_str().unwrap().to_owned()
        };
        values.iter().map(id).collect()
    };
    let expected: Vec<String> = events
        .iter()
        .map(|event| event.log_id.to_string())
        .collect();

    let lines = cut(&stream(ContentFormat::Lines), "shop", &events);
    assert_eq!(lines.len(), 1);
    let read = texts(&lines[0]).lines();
    assert_eq!(
        ids(read
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()),
        expected
    );

    let array = cut(&stream(ContentFormat::Array), "shop", &events);
    assert_eq!((array.len(), array[0].events), (1, 3));
    assert_eq!(
        ids(serde_json::from_slice(&array[0].body).unwrap()),
        expected
    );

    let objects = cut(&stream(ContentFormat::Object), "shop", &events);
    let read = objects
        .iter()
        .map(|batch| serde_json::from_slice(&batch.body).unwrap());
    assert_eq!(ids(read.collect()), expected);
}

#[test]
fn the_record_is_in_the_streams_form() {
    let batch = cut(&stream(ContentFormat::Object), "shop", &events(1, 1));
    let value: Value = serde_json::from_slice(&batch[0].body).unwrap();
    let data = &value["data"];
    assert_eq!(data["tenant_name"], "shop");
    assert_eq!(data["is_mobile"], false);
    assert_eq!(data["type"], "fp");
    assert_eq!(data["date"], "2026-01-01T00:00:00.000Z");
    assert!(data.get("_id").is_none() && data.get("isMobile").is_none());
}

#[test]
fn batches_are_bounded_by_count_and_by_bytes() {
    let many = cut(&stream(ContentFormat::Lines), "shop", &events(450, 1));
    let counts: Vec<u32> = many.iter().map(|batch| batch.events).collect();
    assert_eq!(counts, [200, 200, 50]);
    let heavy = cut(&stream(ContentFormat::Array), "shop", &events(20, 10_000));
    assert!(heavy.len() > 1);
    assert!(heavy.iter().all(|batch| batch.body.len() <= MOST_BYTES + 1));
    assert_eq!(heavy.iter().map(|batch| batch.events).sum::<u32>(), 20);
    let huge = cut(&stream(ContentFormat::Array), "shop", &events(2, 400_000));
    assert_eq!(huge.len(), 2, "one event may be longer than a batch");
}

#[test]
fn the_same_events_have_the_same_id_and_no_others_have() {
    let of = |events: &[LogEvent]| {
        cut(&stream(ContentFormat::Lines), "shop", events)[0]
            .id
            .clone()
    };
    let events = events(3, 1);
    assert_eq!(of(&events), of(&events));
    assert_ne!(of(&events), of(&events[..2]));
    assert_ne!(of(&events[..1]), of(&events[1..2]));
}

#[test]
fn what_is_not_wanted_is_left_out() {
    let mut stream = stream(ContentFormat::Lines);
    stream.settings.filters = vec![EventCategory::SystemNotification];
    let mut all = events(3, 1);
    assert!(cut(&stream, "shop", &all).is_empty());
    all.push(event(3, EventType::BruteForceBlock, 1));
    let batches = cut(&stream, "shop", &all);
    assert_eq!((batches.len(), batches[0].events), (1, 1));
    assert_eq!(batches[0].last, all[3].log_id);
}
