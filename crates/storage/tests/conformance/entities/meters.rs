//! Meter rows: kept whole, guarded by their revisions, swept when expired.

use guard::Row;
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
        assert_eq!(stage.rows.remove_expired_meters(rows::at(3_600_000_000), 9).await, Ok(1));
        let mut reborn = first.clone();
        reborn.row.written_at = rows::at(2_000_000_000);
        reborn.row.failed = 5;
        write(&stage.rows, vec![reborn]).await.unwrap();
        let stale = MeterWrite { revision_read: read, ..first };
        assert_eq!(write(&stage.rows, vec![stale]).await, Err(StoreError::Contended));
        assert_eq!(only(&stage.rows).await.row.failed, 5);
    }

    async fn expired_meters_go_in_bounded_steps_and_others_stay(stage: Stage) {
        let hours = |hours: i64| rows::at(hours * 3_600_000_000);
        let mut meters: Vec<MeterWrite> =
            (0..10).map(|key| MeterWrite { expires_at: hours(1), ..rows::meter([key; 32]) }).collect();
        meters.push(MeterWrite { expires_at: hours(5), ..rows::meter([99; 32]) });
        write(&stage.rows, meters).await.unwrap();
        assert_eq!(stage.rows.remove_expired_meters(hours(1) - std::time::Duration::from_secs(1), 100).await, Ok(0));
        let mut removed = Vec::new();
        for _ in 0..4 {
            removed.push(stage.rows.remove_expired_meters(hours(3), 4).await.unwrap());
        }
        assert_eq!(removed, [4, 4, 2, 0]);
        assert_eq!(only(&stage.rows).await.key, [99; 32]);
    }
}
