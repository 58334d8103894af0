//! The part of `curve25519-dalek` that the core calls, without the arithmetic: whatever goes in, the compiler knows
//! nothing of what comes out.
#![no_std]

/// Points of the twisted Edwards form.
pub mod edwards {
    use core::hint::black_box;
    use core::iter::Sum;
    use core::ops::{Add, Neg};

    use zeroize::Zeroize;

    use crate::montgomery::MontgomeryPoint;
    use crate::scalar::Scalar;
    use crate::traits::{Identity, VartimeMultiscalarMul};

    /// A point that is none.
    #[derive(Clone, Copy)]
    pub struct EdwardsPoint(pub(crate) [u8; 160]);

    /// Its encoding.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct CompressedEdwardsY(pub [u8; 32]);

    impl CompressedEdwardsY {
        pub fn decompress(&self) -> Option<EdwardsPoint> {
            black_box(self);
            black_box(Some(EdwardsPoint([0; 160])))
        }
    }

    impl Identity for EdwardsPoint {
        fn identity() -> Self {
            black_box(Self([0; 160]))
        }
    }

    impl Add for EdwardsPoint {
        type Output = Self;

        fn add(self, other: Self) -> Self {
            black_box(other);
            black_box(self)
        }
    }

    impl Add<&EdwardsPoint> for EdwardsPoint {
        type Output = Self;

        fn add(self, other: &Self) -> Self {
            black_box(other);
            black_box(self)
        }
    }

    impl Neg for EdwardsPoint {
        type Output = Self;

        fn neg(self) -> Self {
            black_box(self)
        }
    }

    impl<'a> Sum<&'a EdwardsPoint> for EdwardsPoint {
        fn sum<I: Iterator<Item = &'a EdwardsPoint>>(points: I) -> Self {
            points.fold(Self::identity(), |sum, point| sum + point)
        }
    }

    impl VartimeMultiscalarMul for EdwardsPoint {
        fn vartime_multiscalar_mul(
            scalars: impl IntoIterator<Item = Scalar>,
            points: impl IntoIterator<Item = Self>,
        ) -> Self {
            for pair in scalars.into_iter().zip(points) {
                black_box(pair);
            }
            Self::identity()
        }
    }

    impl EdwardsPoint {
        pub fn vartime_double_scalar_mul_basepoint(a: &Scalar, point: &Self, b: &Scalar) -> Self {
            black_box((a, b));
            black_box(*point)
        }

        pub fn compress(&self) -> CompressedEdwardsY {
            black_box(self);
            black_box(CompressedEdwardsY([0; 32]))
        }

        pub fn mul_base_clamped(scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(Self([0; 160]))
        }

        pub fn mul_clamped(self, scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(self)
        }

        pub fn to_montgomery(&self) -> MontgomeryPoint {
            black_box(self);
            black_box(MontgomeryPoint([0; 32]))
        }

        pub fn is_torsion_free(&self) -> bool {
            black_box(self);
            black_box(true)
        }

        pub fn is_small_order(&self) -> bool {
            black_box(self);
            black_box(false)
        }
    }

    impl Zeroize for EdwardsPoint {
        fn zeroize(&mut self) {
            self.0.zeroize();
        }
    }
}

/// u-coordinates.
pub mod montgomery {
    use core::hint::black_box;

    use zeroize::Zeroize;

    use crate::edwards::EdwardsPoint;

    /// A u-coordinate that is none.
    #[derive(Clone, Copy)]
    pub struct MontgomeryPoint(pub [u8; 32]);

    impl MontgomeryPoint {
        pub fn mul_clamped(self, scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(self)
        }

        pub fn to_edwards(&self, sign: u8) -> Option<EdwardsPoint> {
            black_box((self, sign));
            black_box(Some(EdwardsPoint([0; 160])))
        }

        pub const fn to_bytes(&self) -> [u8; 32] {
            self.0
        }
    }

    impl Zeroize for MontgomeryPoint {
        fn zeroize(&mut self) {
            self.0.zeroize();
        }
    }
}

/// Numbers modulo the order.
pub mod scalar {
    use core::hint::black_box;
    use core::ops::{Add, Mul, Neg};

    /// A number that is none.
    #[derive(Clone, Copy)]
    pub struct Scalar([u8; 32]);

    impl Scalar {
        pub const ZERO: Self = Self([0; 32]);

        pub fn from_canonical_bytes(bytes: [u8; 32]) -> Option<Self> {
            black_box(Some(Self(bytes)))
        }

        pub fn from_bytes_mod_order_wide(bytes: &[u8; 64]) -> Self {
            black_box(bytes);
            black_box(Self([0; 32]))
        }

        pub const fn as_bytes(&self) -> &[u8; 32] {
            &self.0
        }
    }

    impl From<u128> for Scalar {
        fn from(number: u128) -> Self {
            black_box(number);
            black_box(Self([0; 32]))
        }
    }

    impl Add for Scalar {
        type Output = Self;

        fn add(self, other: Self) -> Self {
            black_box(other);
            black_box(self)
        }
    }

    impl Mul for Scalar {
        type Output = Self;

        fn mul(self, other: Self) -> Self {
            black_box(other);
            black_box(self)
        }
    }

    impl Neg for Scalar {
        type Output = Self;

        fn neg(self) -> Self {
            black_box(self)
        }
    }
}

/// The base point, which is none.
pub mod constants {
    use crate::edwards::EdwardsPoint;

    pub const ED25519_BASEPOINT_POINT: EdwardsPoint = EdwardsPoint([0; 160]);
}

/// What is asked of points.
pub mod traits {
    use crate::scalar::Scalar;

    pub trait Identity {
        fn identity() -> Self;
    }

    pub trait VartimeMultiscalarMul: Sized {
        fn vartime_multiscalar_mul(
            scalars: impl IntoIterator<Item = Scalar>,
            points: impl IntoIterator<Item = Self>,
        ) -> Self;
    }
}
