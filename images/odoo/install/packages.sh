# Odoo from Debian, where the base image has none, and the programs that the manifests and Odoo call.
export DEBIAN_FRONTEND=noninteractive
apt="apt-get -qq --yes --no-install-recommends -o Dpkg::Options::=--force-unsafe-io"

# Another suite of the mirror that the base image uses; a mirror may be some weeks old.
suite() {
    mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Codename: trixie' 'Created-By: Packages' | head -n 1)"
    echo "deb [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" > "/etc/apt/sources.list.d/$1.list"
    printf 'Package: *\nPin: release n=%s\nPin-Priority: %s\n' "$1" "$2" > "/etc/apt/preferences.d/$1"
}

# Translations are compiled into the add-ons' own files on demand; a manual page is read nowhere else than at a desk.
cat > /etc/dpkg/dpkg.cfg.d/small <<'LIST'
path-exclude=/usr/share/man/*
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/lib/python3/dist-packages/odoo/addons/l10n_*/tests/*
LIST

$apt update
if ! command -v odoo > /dev/null; then
    # Odoo is in sid alone and runs on trixie's Python; nothing else comes from there unless trixie lacks it.
    suite sid 100
    suite bookworm 90
    $apt update
    $apt install odoo-19/sid tzdata-legacy
    # The last suite with it; its Qt goes by one version with it, and nothing else of trixie's wants another.
    printf 'Package: wkhtmltopdf libqt5*\nPin: release n=bookworm\nPin-Priority: 990\n' > /etc/apt/preferences.d/wkhtmltopdf
    $apt install wkhtmltopdf
fi
$apt install bash ca-certificates tini python3-pip python3-redis python3-slugify \
    python3-prometheus-client python3-packaging python3-psycopg2 python3-passlib python3-urllib3 python3-idna python3-dateutil
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/apt/sources.list.d/sid.list /etc/apt/sources.list.d/bookworm.list /var/log/apt /var/log/dpkg.log
