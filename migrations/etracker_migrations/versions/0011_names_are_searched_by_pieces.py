r"""Search names without regard to case, accents, normal forms and punctuation, and find words of any length.

``fold_name`` is the one place where names and searches are normalised. It pads words with two spaces on either side.
Scripts without spaces between words become overlapping pairs: a run of letters ``xyz`` is stored as ``x-xy-yz-z``, so
that any part of it can be found. The index holds every three consecutive characters of the result. This works in every
database, unlike ``pg_trgm``, which only knows ASCII if the database's locale is C (docs/adr/0070).
"""

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IGNORED = (
    r"\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
)
"""Accents, vowel points and characters that aren't visible."""

ASCII_SEPARATORS = r"\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f"
SEPARATORS = (
    ASCII_SEPARATORS + r"\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965"
    r"\u2000-\u206f\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d\u30a0\u30fb\U0001f000-\U0001faff"
)
"""Punctuation, symbols and white space."""

UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u318f\u31a0-\u31ff\u3400-\u9fff\ua960-\ua97f"
    r"\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Chinese, Japanese and Korean, and scripts of South East Asia that put no spaces between words."""

# Most names are ASCII, which takes a third of the time. Text can't be normalised in encodings other than UTF-8.
FOLD = rf"""
CREATE FUNCTION fold_name(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text := left(name, 1024);
BEGIN
    IF octet_length(words) = length(words) OR getdatabaseencoding() <> 'UTF8' THEN
        words := lower(translate(words, '''`', '') COLLATE "C");
        RETURN '  ' || btrim(regexp_replace(words, '[{ASCII_SEPARATORS}]+', '  ', 'g')) || '  ';
    END IF;
    words := normalize(translate(words, '''`´‘’ʻʼ™', ''), NFKD);
    words := normalize(lower(regexp_replace(words, '[{IGNORED}]+', '', 'g') {{collation}}), NFKC);
    words := translate(words, 'øłđıħŧðς', 'oldihtdσ');
    words := replace(replace(replace(replace(words, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    words := regexp_replace(words, '[{SEPARATORS}]+', '  ', 'g');
    words := regexp_replace(words, '([{UNSPACED}]+)', '  \1  ', 'g');
    words := regexp_replace(words, '([{UNSPACED}])', '\1-\1', 'g');
    RETURN '  ' || btrim(words) || '  ';
END $$
"""

STATEMENTS = (
    # Three passes of a regular expression are three times faster than an expression over an array of characters.
    r"""
    CREATE FUNCTION name_pieces(words text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    BEGIN
        RETURN string_to_array(regexp_replace(words, '(...)', E'\\1\n', 'g')
            || E'\n' || regexp_replace(substr(words, 2), '(...)', E'\\1\n', 'g')
            || E'\n' || regexp_replace(substr(words, 3), '(...)', E'\\1\n', 'g'), E'\n');
    END $$
    """,
    'CREATE TABLE torrent_names (info_hash_id bigint NOT NULL, words text COLLATE "C" NOT NULL)',
    "COMMENT ON TABLE torrent_names IS 'names as searches see them: triggers on infohashes see to it'",
    "COMMENT ON COLUMN torrent_names.words IS 'fold_name(name)'",
    """
    CREATE FUNCTION store_new_names() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO torrent_names (info_hash_id, words) SELECT id, fold_name(name) FROM touched;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION store_changed_name() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        UPDATE torrent_names SET words = fold_name(NEW.name) WHERE info_hash_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER infohashes_named AFTER INSERT ON infohashes
        REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION store_new_names()
    """,
    """
    CREATE TRIGGER infohashes_renamed AFTER UPDATE OF name ON infohashes FOR EACH ROW
        WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION store_changed_name()
    """,
    # By now, creating a trigger has locked the table against changes. Building keys and indexes last is faster than
    # updating them for each row.
    "INSERT INTO torrent_names (info_hash_id, words) SELECT id, fold_name(name) FROM infohashes",
    """
    ALTER TABLE torrent_names ADD CONSTRAINT pk_torrent_names PRIMARY KEY (info_hash_id),
        ADD CONSTRAINT fk_torrent_names_info_hash_id_infohashes
            FOREIGN KEY (info_hash_id) REFERENCES infohashes ON DELETE CASCADE
    """,
    "CREATE INDEX ix_torrent_names_pieces ON torrent_names USING gin (name_pieces(words))",
    "DROP INDEX ix_infohashes_words",
    # Unrelated to names: the peers of a hybrid's second infohash are to be counted with those of the first.
    """
    CREATE INDEX ix_infohashes_uncounted ON infohashes (id)
        WHERE same_as IS NOT NULL AND counted_time IS NULL AND (seeders > 0 OR leechers > 0)
    """,
)

# The database's own lower() may know ASCII only.
COLLATION = """
SELECT collname FROM pg_collation
WHERE collname IN ('pg_c_utf8', 'und-x-icu') AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
ORDER BY collname LIMIT 1
"""


def upgrade() -> None:
    collation = op.get_bind().scalar(text(COLLATION))
    op.execute(FOLD.format(collation=f'COLLATE "{collation}"' if collation else ""))
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_infohashes_uncounted")
    op.execute("CREATE INDEX ix_infohashes_words ON infohashes USING gin (name gin_trgm_ops) WHERE same_as IS NULL")
    op.execute("DROP TRIGGER infohashes_renamed ON infohashes")
    op.execute("DROP TRIGGER infohashes_named ON infohashes")
    op.execute("DROP TABLE torrent_names")
    op.execute("DROP FUNCTION store_new_names(), store_changed_name(), name_pieces(text), fold_name(text)")
