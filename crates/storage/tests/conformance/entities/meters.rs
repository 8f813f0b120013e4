//! Meter rows: kept whole, guarded by their revisions, swept when expired.

use guard::Row;
use jiff::Timestamp;
use storage::{MeterRecord, MeterWrite, StoreError, TenantStore, Work};

use crate::both_engines;
use crate::rows;

async fn write(handle: &TenantStore, meters: Vec<MeterWrite>) -> Result<(), StoreError> {
    handle
        .write(async move |work: &mut Work| work.write_meters(&meters).await)
        .await
}

async fn read(handle: &TenantStore, keys: Vec<[u8; 32]>) -> Vec<Option<(Row, i64)>> {
    handle
        .write(async move |work: &mut Work| work.read_meters(&keys).await)
        .await
        .unwrap()
}

async fn take_expired(handle: &TenantStore, now: Timestamp, limit: u32) -> Vec<MeterRecord> {
    handle
        .write(async move |work: &mut Work| work.take_expired_meters(now, limit).await)
        .await
        .unwrap()
}

async fn only(handle: &TenantStore) -> MeterRecord {
    let mut found = handle.list_meters_of_account(&[1; 32]).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

both_engines! {
    async fn a_meter_is_kept_whole(stage: Stage) {
        let meter = rows::meter([7; 32]);
        let bare = MeterWrite { account_key: None, source_key: None, shown: None, ..rows::meter([8; 32]) };
        write(&stage.rows, vec![meter.clone(), bare.clone()]).await.unwrap();
        let kept = only(&stage.rows).await;
        let expected = MeterRecord {
            key: [7; 32],
            kind: meter.kind,
            row: meter.row.clone(),
            revision: kept.revision,
            expires_at: kept.expires_at,
            account_key: meter.account_key,
            source_key: meter.source_key,
            shown: meter.shown.clone(),
        };
        assert_eq!(kept, expected);
        let late = kept.expires_at.duration_since(meter.expires_at);
        assert!(late.as_secs() >= 0 && late.as_secs() <= 3_600, "{late:?}");
        assert_eq!(stage.rows.list_meters_of_source(&[2; 32]).await, Ok(vec![kept.clone()]));
        let found = read(&stage.rows, vec![[9; 32], [8; 32], [7; 32]]).await;
        assert_eq!(found[0], None, "in the order asked");
        assert_eq!(found[1].as_ref().map(|(row, _)| row), Some(&bare.row));
        assert_eq!(found[2], Some((meter.row, kept.revision)));
        assert_eq!(read(&stage.rows, Vec::new()).await, []);
        write(&stage.rows, Vec::new()).await.unwrap();
    }

    async fn looking_on_gives_the_same_rows_in_one_statement(stage: Stage) {
        write(&stage.rows, vec![rows::meter([7; 32]), rows::meter([8; 32])]).await.unwrap();
        let locked = read(&stage.rows, vec![[7; 32], [9; 32], [8; 32]]).await;
        let before = stage.store.statement_trace();
        let beside = stage.rows.write(async |work: &mut Work| {
            work.read_meters_beside(&[[9; 32], [7; 32]], &[[8; 32], [6; 32]]).await
        });
        let beside = beside.await.unwrap();
        let ran = stage.store.statement_trace().since(&before);
        assert_eq!(ran.iter().map(|(_, tally)| tally.runs).sum::<u64>(), 1);
        assert_eq!(beside, (vec![None, locked[0].clone()], vec![locked[2].clone(), None]));
        for (charged, looked_at) in [(vec![], vec![[8; 32]]), (vec![[7; 32]], vec![])] {
            let (charged_of, looked_at_of) = (charged.clone(), looked_at.clone());
            let found = stage.rows.write(async move |work: &mut Work| {
                work.read_meters_beside(&charged_of, &looked_at_of).await
            });
            let (one, other) = found.await.unwrap();
            assert_eq!((one.len(), other.len()), (charged.len(), looked_at.len()));
        }
        let plain = stage.rows.look_at_meters(&[[8; 32], [6; 32]]).await.unwrap();
        assert_eq!(plain, [locked[2].as_ref().map(|(row, _)| row.clone()), None]);
    }

    async fn an_event_is_kept_out_by_what_is_counted(stage: Stage) {
        let add = async |micros: i64, keys: &[[u8; 32]], now| {
            let keys = keys.to_vec();
            let added = stage.rows.write(async move |work: &mut Work| {
                work.add_event_unless_counted(&rows::event(micros), &keys, now).await
            });
            added.await.unwrap()
        };
        let meter = rows::meter([7; 32]);
        assert!(add(1, &[[7; 32], [8; 32]], rows::at(0)).await);
        write(&stage.rows, vec![meter.clone()]).await.unwrap();
        assert!(!add(2, &[[8; 32], [7; 32]], rows::at(0)).await);
        assert!(add(3, &[[8; 32]], rows::at(0)).await);
        assert!(add(4, &[], rows::at(0)).await);
        let late = only(&stage.rows).await.expires_at;
        assert!(add(5, &[[7; 32]], late).await, "what is expired counts nothing");
        for (micros, there) in [(1, true), (2, false), (3, true), (4, true), (5, true)] {
            let found = stage.rows.find_event(&rows::log_id(micros)).await.unwrap();
            assert_eq!(found, there.then(|| rows::event(micros)));
        }
    }

    async fn a_write_needs_the_revision_that_is_there(stage: Stage) {
        let meter = rows::meter([7; 32]);
        write(&stage.rows, vec![meter.clone()]).await.unwrap();
        assert_eq!(write(&stage.rows, vec![meter.clone()]).await, Err(StoreError::Contended), "it is no longer absent");
        let revision = only(&stage.rows).await.revision;
        let mut second = MeterWrite { revision_read: revision, ..meter.clone() };
        second.row.failed = 99;
        second.shown = None;
        write(&stage.rows, vec![second.clone()]).await.unwrap();
        let kept = only(&stage.rows).await;
        assert_eq!((kept.row.failed, kept.shown), (99, None));
        assert!(kept.revision > revision);
        for stale in [revision, revision - 1, kept.revision + 1] {
            let write = write(&stage.rows, vec![MeterWrite { revision_read: stale, ..meter.clone() }]).await;
            assert_eq!(write, Err(StoreError::Contended));
        }
        assert_eq!(only(&stage.rows).await.row.failed, 99);
    }

    async fn one_row_that_moved_undoes_all_of_a_write(stage: Stage) {
        write(&stage.rows, vec![rows::meter([7; 32])]).await.unwrap();
        let both = vec![rows::meter([6; 32]), rows::meter([7; 32]), rows::meter([8; 32])];
        assert_eq!(write(&stage.rows, both).await, Err(StoreError::Contended));
        assert_eq!(read(&stage.rows, vec![[6; 32], [8; 32]]).await, [None, None]);
    }

    async fn a_row_born_again_is_not_the_one_that_was_read(stage: Stage) {
        let first = rows::meter([7; 32]);
        write(&stage.rows, vec![first.clone()]).await.unwrap();
        let read = only(&stage.rows).await.revision;
        assert_eq!(take_expired(&stage.rows, rows::at(3_600_000_000), 9).await.len(), 1);
        let mut reborn = first.clone();
        reborn.row.written_at = rows::at(2_000_000_000);
        reborn.row.failed = 5;
        write(&stage.rows, vec![reborn]).await.unwrap();
        let stale = MeterWrite { revision_read: read, ..first };
        assert_eq!(write(&stage.rows, vec![stale]).await, Err(StoreError::Contended));
        assert_eq!(only(&stage.rows).await.row.failed, 5);
    }

    async fn blocks_are_found_by_the_failures_they_were_told_with(stage: Stage) {
        let told = |key: u8, told: u32, kind: i16| {
            let mut meter = rows::meter([key; 32]);
            (meter.row.told, meter.kind) = (told, kind);
            meter
        };
        let meters = vec![told(1, 0, 1), told(2, 9, 1), told(3, 10, 1), told(4, 3, 1), told(5, 3, 2)];
        write(&stage.rows, meters).await.unwrap();
        let found = async |kind: i16, failures: u32, limit: u32| {
            let found = stage.rows.list_blocks_told_below(kind, failures, limit).await.unwrap();
            found.iter().map(|meter| meter.key[0]).collect::<Vec<_>>()
        };
        assert_eq!(found(1, 10, 9).await, [4, 2]);
        assert_eq!(found(1, 10, 1).await, [4]);
        assert_eq!(found(1, u32::MAX, 9).await, [4, 2, 3]);
        assert_eq!(found(2, u32::MAX, 9).await, [5]);
        assert_eq!(found(3, u32::MAX, 9).await, Vec::<u8>::new());
    }

    async fn expired_meters_go_in_bounded_steps_and_others_stay(stage: Stage) {
        let hours = |hours: i64| rows::at(hours * 3_600_000_000);
        let mut meters: Vec<MeterWrite> =
            (0..10).map(|key| MeterWrite { expires_at: hours(1), ..rows::meter([key; 32]) }).collect();
        meters.push(MeterWrite { expires_at: hours(5), ..rows::meter([99; 32]) });
        write(&stage.rows, meters).await.unwrap();
        let early = hours(1) - std::time::Duration::from_secs(1);
        assert_eq!(take_expired(&stage.rows, early, 100).await, []);
        let mut removed = Vec::new();
        for _ in 0..4 {
            let taken = take_expired(&stage.rows, hours(3), 4).await;
            assert!(taken.iter().all(|meter| meter.row.told == 10 && meter.shown.is_some()), "as they were");
            removed.push(taken.len());
        }
        assert_eq!(removed, [4, 4, 2, 0]);
        assert_eq!(only(&stage.rows).await.key, [99; 32]);
    }
}
