"""One product in several countries: pairs of texts, translations and their scores, search across languages."""
