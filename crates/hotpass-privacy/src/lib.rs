//! Personal data: detection, redaction and tokens, consent, retention, and what is held on a person.
