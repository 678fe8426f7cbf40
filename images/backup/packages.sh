export DEBIAN_FRONTEND=noninteractive
apt="apt-get -qq --yes --no-install-recommends"
$apt update
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Codename: trixie' 'Created-By: Packages' | head -n 1)"
# A mirror may be some weeks old.
echo "deb [check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" > /etc/apt/sources.list.d/sid.list
printf 'Package: *\nPin: release n=sid\nPin-Priority: 100\n' > /etc/apt/preferences.d/sid
$apt update
$apt install bash ca-certificates locales-all postgresql-17 postgresql-client-17 barman-cli-cloud python3-boto3 python3-zstandard rclone/sid
rm -rf /var/lib/postgresql/17
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/apt/sources.list.d/sid.list /var/log/apt /var/log/dpkg.log
