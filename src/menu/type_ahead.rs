//! Keys pressed before their field was asked for. They may be card digits, so the queue wipes itself.

use zeroize::Zeroize;

use crate::dtmf::Digit;

/// More keys than the longest sensible sequence: a payment key, a card number, expiry and CVV with their end keys.
const CAPACITY: usize = 64;

/// A wiping first-in-first-out queue of keys.
pub(super) struct TypeAhead {
    keys: [u8; CAPACITY],
    head: usize,
    len: usize,
}

impl TypeAhead {
    pub(super) const fn new() -> Self {
        Self { keys: [0; CAPACITY], head: 0, len: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Keeps a key; false if the queue is full and the key is lost.
    pub(super) fn push(&mut self, key: Digit) -> bool {
        if self.len == CAPACITY {
            return false;
        }
        let byte = key.as_char() as u8;
        self.keys[(self.head + self.len) % CAPACITY] = byte;
        self.len += 1;
        true
    }

    /// Gives a key back to the front, where it was taken from.
    pub(super) fn unpop(&mut self, key: Digit) {
        self.head = (self.head + CAPACITY - 1) % CAPACITY;
        self.len = (self.len + 1).min(CAPACITY);
        let byte = key.as_char() as u8;
        self.keys[self.head] = byte;
    }

    pub(super) fn pop(&mut self) -> Option<Digit> {
        if self.is_empty() {
            return None;
        }
        let byte = std::mem::take(&mut self.keys[self.head]);
        self.head = (self.head + 1) % CAPACITY;
        self.len -= 1;
        Digit::from_char(char::from(byte))
    }

    pub(super) fn clear(&mut self) {
        self.keys.zeroize();
        self.len = 0;
    }
}

impl Drop for TypeAhead {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_refuses_what_does_not_fit() {
        let key = |character| Digit::from_char(character).unwrap();
        let mut queue = TypeAhead::new();
        queue.push(key('2'));
        queue.push(key('3'));
        queue.unpop(key('1'));
        let order: String = std::iter::from_fn(|| queue.pop()).map(Digit::as_char).collect();
        assert_eq!(order, "123");
        assert_eq!((0..CAPACITY + 1).filter(|_| queue.push(key('9'))).count(), CAPACITY);
        queue.clear();
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.keys, [0; CAPACITY]);
    }
}
