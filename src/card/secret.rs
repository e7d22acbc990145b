//! A buffer for keyed digits that wipes itself.

use zeroize::Zeroize;

/// Most digits any keyed field holds; the longest card number has 19 (ISO/IEC 7812-1).
const CAPACITY: usize = 32;

/// Digits as they are keyed, for every field: secret by default, because what is typed is not known to be harmless.
///
/// Its storage is allocated once and never grows, so no reallocation leaves a copy behind; it is wiped when cleared and
/// when dropped.
pub struct SecretDigits {
    bytes: Box<[u8; CAPACITY]>,
    len: usize,
}

impl SecretDigits {
    /// Most digits the buffer holds.
    pub const CAPACITY: usize = CAPACITY;

    /// An empty buffer.
    pub fn new() -> Self {
        Self { bytes: Box::new([0; CAPACITY]), len: 0 }
    }

    /// Appends one telephone key (`0-9`, `*`, `#`, `A-D`). `false`, and no change, if the buffer is full or the
    /// character is no telephone key.
    pub fn push(&mut self, key: char) -> bool {
        let is_key = matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        let Some(slot) = self.bytes.get_mut(self.len).filter(|_| is_key) else { return false };
        *slot = u8::try_from(key).expect("a telephone key is ASCII");
        self.len += 1;
        true
    }

    /// Wipes the digits and starts over.
    pub fn clear(&mut self) {
        self.bytes.zeroize();
        self.len = 0;
    }

    /// Number of digits, which is no secret.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been keyed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digits, for parsing only.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("only ASCII is ever pushed")
    }

    /// Copies text of ASCII digits `0-9`; `None` if there is anything else in it or too much of it.
    pub(super) fn of_decimal(text: &str) -> Option<Self> {
        let mut digits = Self::new();
        text.chars().all(|c| c.is_ascii_digit() && digits.push(c)).then_some(digits)
    }
}

impl Default for SecretDigits {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SecretDigits {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_telephone_keys_up_to_its_capacity() {
        let mut digits = SecretDigits::new();
        assert!(digits.is_empty());
        for _ in 0..SecretDigits::CAPACITY {
            assert!(digits.push('7'));
        }
        assert!(!digits.push('7'));
        assert_eq!(digits.len(), SecretDigits::CAPACITY);
        digits.clear();
        assert!("12*#AD".chars().all(|key| digits.push(key)));
        assert!("aE x٣é".chars().all(|key| !digits.push(key)));
        assert_eq!(digits.expose(), "12*#AD");
    }

    #[test]
    fn clearing_overwrites_the_storage() {
        let mut digits = SecretDigits::new();
        assert!("4111".chars().all(|key| digits.push(key)));
        digits.clear();
        assert_eq!(*digits.bytes, [0; CAPACITY]);
        assert_eq!(digits.expose(), "");
    }
}
