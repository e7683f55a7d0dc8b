//! What was asked, as a pseudonym: so that it is on record whom a question was about that hit nobody
//! or was refused.

use crate::{Lookup, Registry};

impl Registry {
    /// The pseudonym of what a question goes by: two questions by the same code, or by items that
    /// searches take for the same, have the same. That of a code is [`Registry::pseudonym`].
    #[must_use]
    pub fn asked(&self, lookup: &Lookup) -> [u8; 16] {
        match lookup {
            Lookup::Code(code) => self.pseudonym(code),
            Lookup::Items(items) => self.keys.0.pseudonym(&items.folded()),
            Lookup::Fuzzy(items) => self.keys.0.pseudonym(&items.folded().bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use juki_crypto::DigestKey;
    use juki_domain::{Address, BirthDate, PersonName, Sex};

    use super::*;
    use crate::{FourItems, FuzzyItems};

    fn items(name: &str) -> Lookup {
        Lookup::Items(FourItems {
            name: PersonName::parse(name).unwrap(),
            birth: BirthDate::from_number(19_700_102).unwrap(),
            sex: Sex::from_number(2).unwrap(),
            address: Address::parse("山口県萩市大字江向510番地").unwrap(),
        })
    }

    fn fewer(begins: bool) -> Lookup {
        Lookup::Fuzzy(FuzzyItems {
            name: PersonName::parse("山田").unwrap(),
            name_begins: begins,
            birth: BirthDate::from_number(19_700_102).unwrap(),
            sex: None,
            address: None,
        })
    }

    #[test]
    fn what_searches_take_for_the_same_was_the_same_question() {
        let registry = Registry::new(DigestKey::new(&[7; 32]), true);
        let other_key = Registry::new(DigestKey::new(&[8; 32]), true);
        let code = Lookup::Code("91234567891".parse().unwrap());
        assert_eq!(
            registry.asked(&code),
            registry.pseudonym(&"91234567891".parse().unwrap())
        );
        assert_eq!(
            registry.asked(&items("渡邊　花子")),
            registry.asked(&items("渡辺 花子"))
        );
        let different = [
            registry.asked(&code),
            other_key.asked(&code),
            registry.asked(&items("渡邊　花子")),
            registry.asked(&items("山田　花子")),
            registry.asked(&fewer(true)),
            registry.asked(&fewer(false)),
        ];
        for (at, one) in different.iter().enumerate() {
            assert!(different.iter().skip(at + 1).all(|other| other != one));
        }
    }
}
