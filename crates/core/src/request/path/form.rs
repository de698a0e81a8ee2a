//! Forms of paths on which readers differ.

use crate::request::path::PathError;

/// A form of path that some readers resolve and others take as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathForm {
    /// A segment `.` or `..`, plain, encoded, or before `;` parameters.
    DotSegments,
    /// An empty segment other than the last.
    DoubledSlashes,
    /// A backslash.
    Backslashes,
    /// An encoded slash or backslash.
    EncodedSeparators,
    /// An encoded percent sign before two hexadecimal digits.
    DoubleEncoding,
    /// `;`, plain or encoded, in a segment that a rule looks at.
    PathParameters,
}

impl PathForm {
    /// Every form.
    pub const ALL: [Self; 6] = [
        Self::DotSegments,
        Self::DoubledSlashes,
        Self::Backslashes,
        Self::EncodedSeparators,
        Self::DoubleEncoding,
        Self::PathParameters,
    ];

    /// The forms that settings may accept: those that Istio's default normalisation leaves as they
    /// are. It resolves the others, so a DENY rule would miss what Istio has it see.
    pub const ACCEPTABLE: [Self; 4] =
        [Self::DoubledSlashes, Self::EncodedSeparators, Self::DoubleEncoding, Self::PathParameters];

    /// The form that settings may accept under this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ACCEPTABLE.into_iter().find(|form| form.name() == name)
    }

    /// The name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DotSegments => "dotSegments",
            Self::DoubledSlashes => "doubledSlashes",
            Self::Backslashes => "backslashes",
            Self::EncodedSeparators => "encodedSeparators",
            Self::DoubleEncoding => "doubleEncoding",
            Self::PathParameters => "pathParameters",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::DotSegments => 1,
            Self::DoubledSlashes => 2,
            Self::Backslashes => 4,
            Self::EncodedSeparators => 8,
            Self::DoubleEncoding => 16,
            Self::PathParameters => 32,
        }
    }
}

/// A set of path forms; the default is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathForms(u8);

impl PathForms {
    /// No form.
    pub const NONE: Self = Self(0);

    /// This set and one form more.
    #[must_use]
    pub const fn with(self, form: PathForm) -> Self {
        Self(self.0 | form.bit())
    }

    /// Whether the form is in the set.
    #[must_use]
    pub const fn contains(self, form: PathForm) -> bool {
        self.0 & form.bit() != 0
    }

    /// Refuses a form that is not in the set.
    pub(super) fn check(self, form: PathForm) -> Result<(), PathError> {
        if self.contains(form) { Ok(()) } else { Err(PathError::Ambiguous(form)) }
    }
}

impl FromIterator<PathForm> for PathForms {
    fn from_iter<I: IntoIterator<Item = PathForm>>(forms: I) -> Self {
        forms.into_iter().fold(Self::NONE, Self::with)
    }
}
