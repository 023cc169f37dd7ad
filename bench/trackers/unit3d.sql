-- The columns of UNIT3D's tables that UNIT3D-Announce reads or writes; UNIT3D itself creates many more.
CREATE TABLE `groups` (
    id INT PRIMARY KEY,
    slug VARCHAR(255) NOT NULL,
    download_slots INT UNSIGNED NULL,
    is_immune TINYINT(1) NOT NULL DEFAULT 0,
    is_freeleech TINYINT(1) NOT NULL DEFAULT 0,
    is_double_upload TINYINT(1) NOT NULL DEFAULT 0
);
CREATE TABLE users (
    id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    username VARCHAR(255) NOT NULL DEFAULT '',
    email VARCHAR(255) NOT NULL DEFAULT '',
    password VARCHAR(255) NOT NULL DEFAULT '',
    passkey VARCHAR(255) NOT NULL,
    group_id INT NOT NULL,
    uploaded BIGINT UNSIGNED NOT NULL DEFAULT 0,
    downloaded BIGINT UNSIGNED NOT NULL DEFAULT 0,
    rsskey VARCHAR(255) NOT NULL DEFAULT '',
    can_download TINYINT(1) NOT NULL DEFAULT 1,
    is_donor TINYINT(1) NOT NULL DEFAULT 0,
    is_lifetime TINYINT(1) NOT NULL DEFAULT 0,
    deleted_at TIMESTAMP NULL
);
CREATE TABLE torrents (
    id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(255) NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    info_hash BINARY(20) NOT NULL,
    file_name VARCHAR(255) NOT NULL DEFAULT '',
    num_file INT NOT NULL DEFAULT 1,
    size DOUBLE NOT NULL DEFAULT 0,
    seeders INT NOT NULL DEFAULT 0,
    leechers INT NOT NULL DEFAULT 0,
    times_completed INT NOT NULL DEFAULT 0,
    user_id INT UNSIGNED NOT NULL DEFAULT 1,
    status SMALLINT NOT NULL DEFAULT 0,
    free SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    doubleup TINYINT(1) NOT NULL DEFAULT 0,
    balance BIGINT NOT NULL DEFAULT 0,
    balance_offset BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NULL,
    updated_at TIMESTAMP NULL,
    deleted_at TIMESTAMP NULL,
    KEY (info_hash)
);
CREATE TABLE peers (
    peer_id BINARY(20) NOT NULL,
    ip VARBINARY(16) NOT NULL,
    port SMALLINT UNSIGNED NOT NULL,
    agent VARCHAR(64) NOT NULL,
    uploaded BIGINT UNSIGNED NOT NULL,
    downloaded BIGINT UNSIGNED NOT NULL,
    `left` BIGINT UNSIGNED NOT NULL,
    active TINYINT(1) NOT NULL,
    seeder TINYINT(1) NOT NULL,
    visible TINYINT(1) NOT NULL,
    connectable TINYINT(1) NOT NULL DEFAULT 0,
    created_at TIMESTAMP NULL,
    updated_at TIMESTAMP NULL,
    torrent_id INT UNSIGNED NOT NULL,
    user_id INT UNSIGNED NOT NULL,
    PRIMARY KEY (user_id, torrent_id, peer_id),
    KEY (torrent_id)
);
CREATE TABLE history (
    user_id INT UNSIGNED NOT NULL,
    torrent_id INT UNSIGNED NOT NULL,
    agent VARCHAR(64) NOT NULL,
    uploaded BIGINT UNSIGNED NOT NULL,
    actual_uploaded BIGINT UNSIGNED NOT NULL,
    client_uploaded BIGINT UNSIGNED NOT NULL,
    downloaded BIGINT UNSIGNED NOT NULL,
    actual_downloaded BIGINT UNSIGNED NOT NULL,
    client_downloaded BIGINT UNSIGNED NOT NULL,
    seeder TINYINT(1) NOT NULL,
    active TINYINT(1) NOT NULL,
    seedtime BIGINT UNSIGNED NOT NULL,
    immune TINYINT(1) NOT NULL,
    created_at TIMESTAMP NULL,
    updated_at TIMESTAMP NULL,
    completed_at TIMESTAMP NULL,
    PRIMARY KEY (user_id, torrent_id),
    KEY (torrent_id)
);
CREATE TABLE announces (
    id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    user_id INT UNSIGNED NOT NULL,
    torrent_id INT UNSIGNED NOT NULL,
    uploaded BIGINT UNSIGNED NOT NULL,
    downloaded BIGINT UNSIGNED NOT NULL,
    `left` BIGINT UNSIGNED NOT NULL,
    corrupt BIGINT UNSIGNED NOT NULL,
    peer_id BINARY(20) NOT NULL,
    port SMALLINT UNSIGNED NOT NULL,
    numwant SMALLINT UNSIGNED NOT NULL,
    created_at TIMESTAMP NULL,
    event VARCHAR(255) NOT NULL,
    `key` VARCHAR(255) NOT NULL
);
CREATE TABLE unregistered_info_hashes (
    user_id INT UNSIGNED NOT NULL,
    info_hash BINARY(20) NOT NULL,
    created_at TIMESTAMP NULL,
    updated_at TIMESTAMP NULL,
    PRIMARY KEY (user_id, info_hash)
);
CREATE TABLE blacklist_clients (peer_id_prefix VARBINARY(20) NOT NULL);
CREATE TABLE featured_torrents (torrent_id INT UNSIGNED NOT NULL);
CREATE TABLE freeleech_tokens (user_id INT UNSIGNED NOT NULL, torrent_id INT UNSIGNED NOT NULL);
CREATE TABLE personal_freeleeches (user_id INT UNSIGNED NOT NULL);
