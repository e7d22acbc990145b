//! The frames of AudioSocket, without any socket: a kind, a length (16 bits, the high byte first), and as many bytes.

use zeroize::Zeroize as _;

use crate::dtmf::Digit;

/// Kind and length.
const HEAD: usize = 3;
/// A frame at its longest, in bytes.
pub const LONGEST: usize = HEAD + u16::MAX as usize;
/// Samples of the frames we send: 20 ms at 8 kHz, as Asterisk's own.
pub const FRAME: usize = 160;

const HANG_UP: u8 = 0x00;
const UUID: u8 = 0x01;
const KEY: u8 = 0x03;
const AUDIO: u8 = 0x10;
const ERROR: u8 = 0xff;
/// The rates of audio, in Hz, by their distance from [`AUDIO`].
const RATES: [u32; 9] = [8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];

/// What Asterisk calls a connection: 16 bytes that the dialplan chose. It names no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" })?;
        }
        Ok(())
    }
}

/// What the far side says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The first frame: which connection this is.
    Uuid(Uuid),
    /// Sound: samples of 16 bits, the low byte first, one channel.
    Audio {
        /// In Hz.
        rate: u32,
        /// An even number of bytes.
        bytes: &'a [u8],
    },
    /// A key was pressed; told at its end.
    Key(Digit),
    /// The caller has gone.
    HangUp,
    /// The far side has failed, with its reason if it gives one.
    Error(Option<u8>),
}

/// Why bytes are no AudioSocket. Nothing that follows them can be understood; the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first frame is something else.
    #[error("the first frame is of kind 0x{0:02x}, where a UUID (0x01) must come: this is no AudioSocket")]
    NoUuid(u8),
    /// A UUID comes again.
    #[error("a second UUID came")]
    SecondUuid,
    /// A frame of a known kind has another length than such a frame has.
    #[error("a frame of kind 0x{kind:02x} has {length} bytes, where {expected} are due")]
    Length {
        /// The kind.
        kind: u8,
        /// Its length in bytes.
        length: usize,
        /// What was expected.
        expected: &'static str,
    },
}

/// Room for what is held as a rule, in bytes: bytes that move to other places leave copies behind, and those are not wiped.
const USUAL: usize = 8192;

/// Takes bytes as they come, in pieces of any length, and gives frames. Holds no more than one frame and one piece.
pub struct FrameReader {
    bytes: Vec<u8>,
    /// Bytes given out already.
    read: usize,
    has_uuid: bool,
}

impl FrameReader {
    /// A connection's beginning.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(USUAL), read: 0, has_uuid: false }
    }

    /// Takes bytes. The frames before them must have been read, or they are held as well.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; none until more bytes come. Frames of unknown kinds are left out.
    ///
    /// # Errors
    /// [`WireError`] if this is no AudioSocket.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, WireError> {
        loop {
            let Some(&[kind, high, low]) = self.bytes.get(self.read..self.read + HEAD) else { return Ok(None) };
            let length = usize::from(u16::from_be_bytes([high, low]));
            // Before there is a UUID nobody waits for what follows a false head.
            self.check(kind, length)?;
            let payload = self.read + HEAD..self.read + HEAD + length;
            if self.bytes.len() < payload.end {
                return Ok(None);
            }
            self.read = payload.end;
            self.has_uuid = true;
            if let Some(known) = meaning(kind, payload.clone(), &self.bytes) {
                return Ok(Some(known));
            }
        }
    }

    fn check(&self, kind: u8, length: usize) -> Result<(), WireError> {
        match kind {
            UUID if self.has_uuid => return Err(WireError::SecondUuid),
            UUID => {}
            _ if !self.has_uuid => return Err(WireError::NoUuid(kind)),
            _ => {}
        }
        let (fits, expected) = match kind {
            UUID => (length == 16, "16"),
            KEY => (length == 1, "1"),
            _ if rate_of(kind).is_some() => (length.is_multiple_of(2), "two for each sample"),
            _ => (true, "any"),
        };
        if fits { Ok(()) } else { Err(WireError::Length { kind, length, expected }) }
    }
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FrameReader {
    /// Sound and keys may be those of a card.
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// A frame that has been checked; none if its kind, or the key it tells of, is not known.
fn meaning(kind: u8, payload: std::ops::Range<usize>, bytes: &[u8]) -> Option<Frame<'_>> {
    let payload = &bytes[payload];
    match kind {
        HANG_UP => Some(Frame::HangUp),
        UUID => payload.try_into().ok().map(|bytes| Frame::Uuid(Uuid(bytes))),
        KEY => Digit::from_char(char::from(payload[0])).map(Frame::Key),
        ERROR => Some(Frame::Error(payload.first().copied())),
        _ => rate_of(kind).map(|rate| Frame::Audio { rate, bytes: payload }),
    }
}

fn rate_of(kind: u8) -> Option<u32> {
    RATES.get(usize::from(kind.checked_sub(AUDIO)?)).copied()
}

/// The samples of an audio frame's bytes, full scale 1.0.
pub fn samples(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0)
}

/// Adds an audio frame at 8 kHz. What is beyond full scale is clipped.
///
/// # Panics
/// If there are more samples than a frame holds, 32 767.
pub fn write_audio(samples: &[f32], out: &mut Vec<u8>) {
    write_head(AUDIO, 2 * samples.len(), out);
    for sample in samples {
        let level = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        out.extend_from_slice(&level.to_le_bytes());
    }
}

/// Adds the frame that ends a call.
pub fn write_hang_up(out: &mut Vec<u8>) {
    write_head(HANG_UP, 0, out);
}

fn write_head(kind: u8, length: usize, out: &mut Vec<u8>) {
    let length = u16::try_from(length).expect("a frame has at most 65 535 bytes");
    out.push(kind);
    out.extend_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: [u8; 16] = *b"0123456789abcdef";

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind][..], &u16::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
    }

    fn name(frame: &Frame<'_>) -> String {
        match frame {
            Frame::Uuid(uuid) => format!("uuid {uuid}"),
            Frame::Audio { rate, bytes } => format!("{} bytes at {rate}", bytes.len()),
            Frame::Key(key) => format!("key {key}"),
            Frame::HangUp => "hang-up".to_owned(),
            Frame::Error(reason) => format!("error {reason:?}"),
        }
    }

    /// Everything that comes of pieces of bytes.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<WireError>) {
        let (mut reader, mut seen) = (FrameReader::new(), Vec::new());
        for piece in pieces {
            reader.push(piece);
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => seen.push(name(&frame)),
                    Ok(None) => break,
                    Err(error) => return (seen, Some(error)),
                }
            }
            assert!(reader.bytes.len() - reader.read < LONGEST, "no more is held than one frame");
        }
        (seen, None)
    }

    /// A connection with every kind of frame in it, unknown ones, too.
    fn conversation() -> (Vec<u8>, Vec<&'static str>) {
        let bytes = [
            frame(UUID, &NAME),
            frame(AUDIO, &[1; 320]),
            frame(0x42, &[9; 700]),
            frame(KEY, b"#"),
            frame(KEY, b"x"),
            frame(0x12, &[0; 640]),
            frame(0x18, &[]),
            frame(0x19, &[1, 2, 3]),
            frame(ERROR, &[4]),
            frame(ERROR, &[]),
            frame(HANG_UP, &[]),
        ];
        let seen = [
            "uuid 30313233-3435-3637-3839-616263646566",
            "320 bytes at 8000",
            "key #",
            "640 bytes at 16000",
            "0 bytes at 192000",
            "error Some(4)",
            "error None",
            "hang-up",
        ];
        (bytes.concat(), seen.to_vec())
    }

    #[test]
    fn frames_are_the_same_wherever_the_bytes_are_split() {
        let (bytes, expected) = conversation();
        assert_eq!(read([&bytes[..]]), (expected.iter().map(|seen| (*seen).to_owned()).collect(), None));
        for split in 0..=bytes.len() {
            let (one, other) = bytes.split_at(split);
            assert_eq!(read([one, other]).0, expected, "split at {split}");
        }
        for length in [1, 2, 3, 7, 320] {
            assert_eq!(read(bytes.chunks(length)).0, expected, "pieces of {length}");
        }
    }

    #[test]
    fn what_is_no_audio_socket_is_refused_as_soon_as_it_shows() {
        for (bytes, expected) in [
            (b"GET / HTTP/1.1".to_vec(), WireError::NoUuid(b'G')),
            (frame(AUDIO, &[0; 320]), WireError::NoUuid(AUDIO)),
            (vec![UUID, 0xff, 0xff], WireError::Length { kind: UUID, length: 65_535, expected: "16" }),
            ([frame(UUID, &NAME), frame(UUID, &NAME)].concat(), WireError::SecondUuid),
            (
                [frame(UUID, &NAME), frame(0x13, &[0; 321])].concat(),
                WireError::Length { kind: 0x13, length: 321, expected: "two for each sample" },
            ),
            (
                [frame(UUID, &NAME), frame(KEY, b"12")].concat(),
                WireError::Length { kind: KEY, length: 2, expected: "1" },
            ),
        ] {
            assert_eq!(read([&bytes[..]]).1, Some(expected));
        }
    }

    /// Bytes that begin like a connection and go on at random, in pieces at random: an error or frames, and nothing else.
    #[test]
    fn hostile_bytes_cost_no_more_than_their_connection() {
        let seed = 83;
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut refused, mut taken) = (0, 0);
        for _ in 0..2000 {
            let mut bytes = frame(UUID, &NAME);
            for _ in 0..rng.usize(..20) {
                let kind = *rng.choice(&[0, 1, 3, 0x10, 0x11, 0x18, 0x77, 0xff]).unwrap();
                let payload: Vec<u8> = (0..rng.usize(..40)).map(|_| rng.u8(..)).collect();
                bytes.extend(frame(kind, &payload));
            }
            for _ in 0..rng.usize(..4) {
                let at = rng.usize(..bytes.len());
                bytes[at] = rng.u8(..);
            }
            let (seen, error) = read(bytes.chunks(rng.usize(1..60)));
            (refused, taken) = (refused + usize::from(error.is_some()), taken + seen.len());
        }
        assert!(refused > 500 && taken > 2000, "{refused} {taken}");
    }

    #[test]
    fn what_is_written_is_read_again_and_clipped_at_full_scale() {
        let mut out = frame(UUID, &NAME);
        write_audio(&[0.0, 0.5, -1.0, 1.0, 9.0, -9.0, f32::NAN], &mut out);
        write_hang_up(&mut out);
        let mut reader = FrameReader::new();
        reader.push(&out);
        assert!(matches!(reader.next_frame(), Ok(Some(Frame::Uuid(Uuid(NAME))))));
        let Ok(Some(Frame::Audio { rate: 8000, bytes })) = reader.next_frame() else { panic!("no audio") };
        let most = 32_767.0 / 32_768.0;
        assert_eq!(samples(bytes).collect::<Vec<_>>(), [0.0, 0.5, -1.0, most, most, -1.0, 0.0]);
        assert!(matches!(reader.next_frame(), Ok(Some(Frame::HangUp))));
        assert!(matches!(reader.next_frame(), Ok(None)));
    }
}
