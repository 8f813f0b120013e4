use super::*;

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn judged(policy: &PasswordPolicy, text: &str, person: &[&str]) -> Result<(), Unfit> {
    let common = |text: &str| text == "password1!";
    policy.judge(
        &password(text),
        &PersonalData::of(person.iter().copied()),
        common,
    )
}

#[test]
fn each_level_has_its_line() {
    for (level, enough, not_enough) in [
        ("none", "x", None),
        ("low", "abcdef", Some("abcde")),
        ("fair", "abcdEF12", Some("abcdefg1")),
        ("good", "abcdEF12", Some("abcdefg1")),
        ("good", "abcdef1!", Some("Abcde1!")),
        ("excellent", "abcdEF12gh", Some("aaabEF12gh")),
        ("excellent", "aabbEF12gh", Some("abcdEF12g")),
    ] {
        let policy = PasswordPolicy {
            level: Level::named(level).unwrap(),
            ..PasswordPolicy::default()
        };
        assert_eq!(judged(&policy, enough, &[]), Ok(()), "{level} {enough}");
        if let Some(text) = not_enough {
            let told = judged(&policy, text, &[]);
            assert!(matches!(told, Err(Unfit::Weak(_))), "{level} {text}");
        }
    }
    let long = PasswordPolicy {
        level: Level::Low,
        min_length: Some(12),
        ..PasswordPolicy::default()
    };
    assert!(judged(&long, "abcdefgh", &[]).is_err());
    assert_eq!(judged(&long, "abcdefghijkl", &[]), Ok(()));
    let short = PasswordPolicy {
        min_length: Some(3),
        ..PasswordPolicy::default()
    };
    assert!(judged(&short, "aB3", &[]).is_err(), "never below the level");
    assert_eq!(Level::named("best"), None);
}

#[test]
fn a_weak_password_is_told_rule_by_rule() {
    let policy = PasswordPolicy {
        level: Level::Excellent,
        ..PasswordPolicy::default()
    };
    let Err(Unfit::Weak(rules)) = judged(&policy, "aaaa", &[]) else {
        panic!("it is weak");
    };
    let told: Vec<_> = rules
        .iter()
        .map(|rule| (rule.code, rule.is_kept, rule.text()))
        .collect();
    let expected = [
        (
            "lengthAtLeast",
            false,
            "At least 10 characters in length".to_owned(),
        ),
        (
            "containsAtLeast",
            false,
            "Contain at least 3 of the following 4 types of characters:".to_owned(),
        ),
        (
            "identicalChars",
            false,
            "No more than 2 identical characters in a row (e.g., \"aaa\" not allowed)".to_owned(),
        ),
    ];
    assert_eq!(told, expected);
    assert!(rules[1].items[0].is_kept && !rules[1].items[1].is_kept);
    assert_eq!(policy.rules().len(), 3);
}

#[test]
fn the_dictionary_knows_no_case_and_only_whole_passwords() {
    let policy = PasswordPolicy {
        level: Level::Low,
        dictionary: Some(vec!["Portcullis-2024".to_owned()]),
        ..PasswordPolicy::default()
    };
    for text in ["password1!", "PassWord1!", "portCULLIS-2024"] {
        assert_eq!(
            judged(&policy, text, &[]),
            Err(Unfit::InDictionary),
            "{text}"
        );
    }
    assert_eq!(judged(&policy, "my portcullis-2024", &[]), Ok(()));
    let off = PasswordPolicy {
        dictionary: None,
        ..policy
    };
    assert_eq!(judged(&off, "password1!", &[]), Ok(()));
}

#[test]
fn personal_data_is_found_in_parts_without_case() {
    let policy = PasswordPolicy {
        level: Level::Low,
        refuses_personal_data: true,
        ..PasswordPolicy::default()
    };
    let person = ["ana.lopez", "Anastasia Li", "Élodie"];
    for text in [
        "xxANASTASIAxx",
        "lopez-77",
        "ana.lopez!",
        "7ÉLODIE7",
        "xanax1",
    ] {
        assert_eq!(
            judged(&policy, text, &person),
            Err(Unfit::Personal),
            "{text}"
        );
    }
    assert_eq!(judged(&policy, "lion-king", &person), Ok(()), "too short");
    let off = PasswordPolicy {
        refuses_personal_data: false,
        ..policy
    };
    assert_eq!(judged(&off, "lopez-77", &person), Ok(()));
}
