# Writes a backup of MongoDB into /backups once a day and keeps those of 14 days: docs/backup.md.
while true; do
    archive=/backups/ordersite-$(date +%F).archive
    # A name of its own until it is complete.
    if mongodump --config=/run/secrets/mongodump.yaml --oplog --gzip --archive="$archive.new"; then
        mv "$archive.new" "$archive"
        find /backups -name '*.archive*' -mtime +13 -delete
        pause_seconds=86400
    else
        pause_seconds=600
    fi
    # In the background, so that the shell ends at once when it is asked to.
    sleep "$pause_seconds" &
    wait
done
