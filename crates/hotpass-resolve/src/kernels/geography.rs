//! Distance on the globe.

/// Mean radius of the Earth in kilometres (IUGG mean radius R1 rounded, the figure that Splink uses).
pub const EARTH_RADIUS_KM: f64 = 6371.0;

/// Gives the great-circle distance of two points in kilometres, from degrees of latitude and longitude.
///
/// Haversine formula (Sinnott 1984, *Virtues of the Haversine*): `2 R asin √(sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2))`, exact to rounding also
/// for near points, where the cosine law loses digits. Not a number if an argument is not finite.
pub fn distance_km(latitude_left: f64, longitude_left: f64, latitude_right: f64, longitude_right: f64) -> f64 {
    let half_sine = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let cosines = latitude_left.to_radians().cos() * latitude_right.to_radians().cos();
    let haversine = half_sine(latitude_right - latitude_left) + cosines * half_sine(longitude_right - longitude_left);
    2.0 * EARTH_RADIUS_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cosine_law(left: (f64, f64), right: (f64, f64)) -> f64 {
        let (a, b) = (left.0.to_radians(), right.0.to_radians());
        let turn = (right.1 - left.1).to_radians();
        (a.sin() * b.sin() + a.cos() * b.cos() * turn.cos()).clamp(-1.0, 1.0).acos() * EARTH_RADIUS_KM
    }

    #[test]
    fn a_quarter_and_a_half_of_the_globe() {
        let quarter = EARTH_RADIUS_KM * std::f64::consts::FRAC_PI_2;
        assert!((distance_km(0.0, 0.0, 90.0, 0.0) - quarter).abs() < 1e-9);
        assert!((distance_km(0.0, 0.0, 0.0, 180.0) - 2.0 * quarter).abs() < 1e-9);
        assert!(distance_km(29.7517, -95.4054, 29.7517, -95.4054).abs() < 1e-12);
        assert!(distance_km(f64::NAN, 0.0, 0.0, 0.0).is_nan());
    }

    proptest! {
        #[test]
        fn agrees_with_the_cosine_law(a in -90.0..90.0f64, b in -180.0..180.0f64, c in -90.0..90.0f64, d in -180.0..180.0f64) {
            let distance = distance_km(a, b, c, d);
            prop_assert!((distance - cosine_law((a, b), (c, d))).abs() < 1e-3);
            prop_assert!((distance - distance_km(c, d, a, b)).abs() < 1e-9);
        }
    }
}
