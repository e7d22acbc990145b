//! Kernels compiled twice: for the vector registers of the processor at hand, and for any processor.
//!
//! Both run the same source in the same order of operations (Rust fuses no multiplication with an addition by itself), so
//! their results are equal to the bit.
#![expect(
    unsafe_code,
    reason = "a function compiled for AVX2 may be called only where the processor was seen to have it"
)]

/// A computation on plain arrays, laid out so that the compiler can keep eight neighbours in one register.
pub(crate) trait Kernel {
    type Output;
    /// Implementations are `#[inline(always)]`, or they would be compiled once, for any processor.
    fn run(self) -> Self::Output;
}

/// The vector registers to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every processor of the architecture has.
    Portable,
    /// 256-bit registers of x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

/// Proof that the processor has AVX2: made only by [`Simd::detect`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Simd {
    /// The widest registers of this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2(Avx2(()));
        }
        Self::Portable
    }

    /// Runs a kernel in these registers.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => kernel.run(),
            // SAFETY: the token shows that the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(Avx2(())) => unsafe { run_in_avx2(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_in_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
