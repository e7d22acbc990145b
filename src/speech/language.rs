//! The languages the box speaks.

use std::fmt;

/// A language with a complete set of clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Spanish as spoken in Mexico.
    EsMx,
    /// English as spoken in the United States.
    EnUs,
}

impl Language {
    /// Every language, the default one first.
    pub const ALL: [Self; 2] = [Self::EsMx, Self::EnUs];

    /// The BCP 47 tag, which is also the name of the folder of its clips.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EsMx => "es-MX",
            Self::EnUs => "en-US",
        }
    }

    /// Parses a BCP 47 tag, upper or lower case: `es-MX` or `en-US`.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_code_in_any_case() {
        for language in Language::ALL {
            assert_eq!(Language::parse(&language.to_string()), Some(language));
            assert_eq!(Language::parse(&language.code().to_lowercase()), Some(language));
        }
        assert_eq!(Language::parse("es"), None);
        assert_eq!(Language::parse("fr-FR"), None);
    }
}
