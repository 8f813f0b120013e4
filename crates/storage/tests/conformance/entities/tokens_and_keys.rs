//! Opaque access tokens and signing keys.

use storage::{Added, SigningKeyState, Work};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_token_lives_until_it_expires(stage: Stage) {
        let mut of_nobody = rows::access_token(2);
        of_nobody.user_id = None;
        of_nobody.expires_at = rows::at(200);
        let added = of_nobody.clone();
        stage.rows.write(async move |work: &mut Work| {
            work.add_access_token(&rows::access_token(1)).await?;
            work.add_access_token(&added).await
        }).await.unwrap();
        assert_eq!(stage.rows.find_access_token(&[1; 32], rows::at(99)).await, Ok(Some(rows::access_token(1))));
        assert_eq!(stage.rows.find_access_token(&[1; 32], rows::at(100)).await, Ok(None));
        assert_eq!(stage.rows.find_access_token(&[3; 32], rows::at(0)).await, Ok(None));
        assert_eq!(stage.rows.remove_expired_access_tokens(rows::at(99), 10).await, Ok(0));
        assert_eq!(stage.rows.remove_expired_access_tokens(rows::at(100), 10).await, Ok(1));
        assert_eq!(stage.rows.find_access_token(&[1; 32], rows::at(0)).await, Ok(None));
        assert_eq!(stage.rows.find_access_token(&[2; 32], rows::at(0)).await, Ok(Some(of_nobody)));
    }

    async fn expired_tokens_go_in_bounded_steps(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for number in 0..10 {
                work.add_access_token(&rows::access_token(number)).await?;
            }
            Ok(())
        }).await.unwrap();
        let mut removed = Vec::new();
        for _ in 0..4 {
            removed.push(stage.rows.remove_expired_access_tokens(rows::at(1_000), 4).await.unwrap());
        }
        assert_eq!(removed, [4, 4, 2, 0]);
    }

    async fn there_is_one_current_key_and_one_next(stage: Stage) {
        use SigningKeyState::{Current, Next, Previous};
        let added = stage.rows.write(async |work: &mut Work| {
            Ok([
                work.add_signing_key(&rows::signing_key("a", Current)).await?,
                work.add_signing_key(&rows::signing_key("a", Previous)).await?,
                work.add_signing_key(&rows::signing_key("b", Current)).await?,
                work.add_signing_key(&rows::signing_key("c", Next)).await?,
                work.add_signing_key(&rows::signing_key("d", Previous)).await?,
                work.add_signing_key(&rows::signing_key("e", Previous)).await?,
            ])
        });
        use Added::{Done, IdTaken, IdentifierTaken};
        assert_eq!(added.await, Ok([Done, IdTaken, IdentifierTaken, Done, Done, Done]));
        let keys = [("a", Current), ("c", Next), ("d", Previous), ("e", Previous)];
        let expected: Vec<_> = keys.into_iter().map(|(kid, state)| rows::signing_key(kid, state)).collect();
        assert_eq!(stage.rows.list_signing_keys().await, Ok(expected));
    }
}
