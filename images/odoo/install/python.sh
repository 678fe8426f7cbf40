# OCA add-ons and the S3 client, each with its hash. No dependencies: Odoo is no package of the index.
python3 -m pip install --quiet --no-cache-dir --break-system-packages --no-deps --ignore-installed --require-hashes --only-binary :all: \
    --root-user-action ignore --no-warn-script-location --requirement /tmp/install/requirements.txt
