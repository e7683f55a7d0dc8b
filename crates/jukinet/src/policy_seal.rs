//! Whether a policy's file is still as it was derived, or a person has changed it.

use juki_crypto::sha256;

/// The last line of a derived policy begins with this; the digest of all before it follows.
const MARK: &str = "# Derived from network.toml, unchanged while this is the digest: ";

/// A derived policy with its last line.
pub(crate) fn sealed(policy: &str) -> String {
    format!("{policy}\n{MARK}{}\n", digest(&format!("{policy}\n")))
}

/// Whether a text is a derived policy that nobody has changed since.
pub(crate) fn is_as_derived(text: &str) -> bool {
    text.rsplit_once(MARK)
        .is_some_and(|(policy, said)| digest(policy) == said.trim_end())
}

fn digest(text: &str) -> String {
    let digest = sha256(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_policy_is_told_from_a_derived_one() {
        let text = sealed("[[rule]]\nfrom = \"line\"\n");
        assert!(is_as_derived(&text));
        assert!(!is_as_derived(&text.replace("line", "inside")));
        assert!(!is_as_derived(&format!("{text}[watch]\nwindow_s = 5\n")));
        assert!(!is_as_derived("[[rule]]\n"));
        assert!(!is_as_derived(""));
    }
}
