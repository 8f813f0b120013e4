//! Dropping old events while very many blocks stand: up to 50,000 are looked at, and above that nothing of a block is dropped.

use guard::MeterKind;
use storage::Database;
use temporary_postgres::TemporaryPostgres;
use testkit::{Admin, World, on_both_engines};

use super::log_settings::{a_minute_passes, block, days_pass, keep_for, records};
use crate::beside::sql;

const MOST: u32 = 50_000;
const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const OTHERS: &str = "kind, revision, charged, failed, epoch, open_until, failed_at, noticed_at, written_at, seen, \
                      expires_at, told";

/// How many blocks stand by now.
fn standing(world: &World) -> u32 {
    let count = format!(
        "SELECT COUNT(*) FROM meters WHERE kind = {} AND told > 0",
        MeterKind::Pair.code()
    );
    match world.database() {
        Database::Sqlite { path } => rusqlite::Connection::open(path)
            .unwrap()
            .query_row(&count, [], |row| row.get(0))
            .unwrap(),
        Database::Postgres { url, .. } => {
            let answer = TemporaryPostgres::shared().sql(url, &count);
            answer.trim().parse().unwrap()
        }
    }
}

/// Blocks other people until so many stand, each with the counts of one that stands.
fn block_until(world: &World, count: u32) {
    let more = count - standing(world);
    let copy = |key: &str, numbers: &str| {
        format!(
            "INSERT INTO meters (tenant_id, key, {OTHERS}, shown_identifier, shown_address, shown_connection) \
             SELECT tenant_id, {key}, {OTHERS}, 'other@example.com', '192.0.2.9', 'Users' FROM \
             (SELECT * FROM meters WHERE kind = {} AND told > 0 LIMIT 1) AS one, {numbers}",
            MeterKind::Pair.code()
        )
    };
    let numbers = format!(
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more}) SELECT i FROM n) AS numbers"
    );
    sql(
        world,
        &copy("randomblob(32)", &numbers),
        &copy("sha256(convert_to(i::text || random(), 'UTF8'))", &numbers),
    );
    assert_eq!(standing(world), count);
}

/// The block of one of the others ends.
fn end_one(world: &World) {
    let one = "DELETE FROM meters WHERE key = \
               (SELECT key FROM meters WHERE shown_identifier = 'other@example.com' LIMIT 1)";
    sql(world, one, one);
}

async fn lift(admin: &Admin<'_>, user: &str) {
    let path = format!("user-blocks/{}", user.replace('|', "%7C"));
    admin.delete(&path).await.expect(204);
}

async fn blocked(world: &World) -> Vec<String> {
    let records = records(world).await.into_iter();
    records.map(|(_, whom)| whom).collect()
}

on_both_engines! {
    async fn above_50_000_blocks_what_explains_any_of_them_is_kept(world: World) {
        let backend = world.backend(true).await;
        keep_for(&world, 2).await;
        let (ana, ben) = (backend.add_user(ANA).await, backend.add_user(BEN).await);
        block(&backend, ANA).await;
        block(&backend, BEN).await;
        days_pass(&world, 5).await;
        assert_eq!(blocked(&world).await, [ANA, BEN]);

        lift(&world.admin().await, &ana).await;
        block_until(&world, MOST);
        a_minute_passes(&world).await;
        assert_eq!(blocked(&world).await, [BEN], "at the limit each block is looked at");

        block_until(&world, MOST + 2);
        lift(&world.admin().await, &ben).await;
        assert_eq!(standing(&world), MOST + 1);
        a_minute_passes(&world).await;
        assert_eq!(blocked(&world).await, [BEN], "above it what may explain one stays, although this one is lifted");

        end_one(&world);
        a_minute_passes(&world).await;
        assert!(blocked(&world).await.is_empty(), "and goes when there are fewer again");
    }
}
