"""From the tables of the augmented zone to answers: views for SQL, figures with intervals, alerts."""
