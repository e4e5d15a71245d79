from planner.domain.pkce import compute_challenge, verify_challenge

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_challenge_of_a_verifier_is_the_one_the_standard_computes() -> None:
    assert compute_challenge(VERIFIER) == CHALLENGE


def test_a_challenge_is_verified_only_with_its_own_verifier() -> None:
    assert verify_challenge(VERIFIER, CHALLENGE)
    assert not verify_challenge(VERIFIER[:-1] + "l", CHALLENGE)
    assert not verify_challenge(CHALLENGE, CHALLENGE)
    assert not verify_challenge("", CHALLENGE)


def test_a_verifier_that_is_too_short_or_has_other_characters_is_refused() -> None:
    for verifier in ("v" * 42, "v" * 129, "v" * 42 + "ü", "v" * 43 + "\n"):
        assert not verify_challenge(verifier, compute_challenge(verifier))
