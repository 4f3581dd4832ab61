#!/bin/sh
# Makes the tables at the first start, then becomes the server.
#
#   MARIADB_ROOT_PASSWORD              root's password; or MARIADB_ROOT_PASSWORD_FILE, a file that holds it
#   MARIADB_ALLOW_EMPTY_ROOT_PASSWORD  set to anything: root needs no password
#   MARIADB_ROOT_HOST                  where root may come from, `%`, which is anywhere, where absent; or `localhost`
#   MARIADB_DATABASE                   a database to make
#   MARIADB_USER, MARIADB_PASSWORD     a user to make, who may do everything in that database; or MARIADB_PASSWORD_FILE
#
# Arguments that begin with `-` are the server's; anything else is run as it is. The data appears in the volume only once it is
# whole: what an interrupted first start left behind is thrown away by the next.
set -eu
umask 077

data=/var/lib/mysql/data

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# The value of a variable, or what the file holds that the variable with _FILE names.
value() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$file" ]; then
        [ -z "$value" ] || fail "both $1 and $1_FILE are set: set one"
        value=$(cat -- "$file") || fail "$1_FILE cannot be read"
    fi
    printf '%s' "$value"
}

# A text as SQL has it between quotes.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"
}

# What is done in the new tables, as SQL.
accounts() {
    printf 'flush privileges;\n'
    if [ -n "$password" ]; then
        printf 'alter user root@localhost identified by %s;\n' "$(quoted "$password")"
    else
        printf 'alter user root@localhost identified via mysql_native_password using %s;\n' "''"
    fi
    if [ "$host" != localhost ]; then
        printf 'create user root@%s identified by %s;\n' "$(quoted "$host")" "$(quoted "$password")"
        printf 'grant all on *.* to root@%s with grant option;\n' "$(quoted "$host")"
    fi
    if [ -n "$database" ]; then
        name=$(printf '%s' "$database" | sed 's/`/``/g')
        printf 'create database `%s`;\n' "$name"
    fi
    if [ -n "$user" ]; then
        printf "create user %s@'%%' identified by %s;\n" "$(quoted "$user")" "$(quoted "$user_password")"
        # In the name of a database that rights are given on, `_` and `%` stand for others.
        [ -z "$database" ] ||
            printf "grant all on \`%s\`.* to %s@'%%';\n" "$(printf '%s' "$name" | sed 's/[_%]/\\&/g')" "$(quoted "$user")"
    fi
}

make_tables() {
    password=$(value MARIADB_ROOT_PASSWORD)
    user_password=$(value MARIADB_PASSWORD)
    host=${MARIADB_ROOT_HOST:-%}
    database=${MARIADB_DATABASE:-}
    user=${MARIADB_USER:-}
    if [ -z "$password" ] && [ -z "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}" ]; then
        fail 'this is the first start, and there is no password for root: set MARIADB_ROOT_PASSWORD or
MARIADB_ROOT_PASSWORD_FILE, or let everyone be root with MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1'
    fi
    [ -z "$user" ] || [ -n "$user_password" ] || fail 'MARIADB_USER has no MARIADB_PASSWORD or MARIADB_PASSWORD_FILE'
    above=$(dirname -- "$data")
    [ -w "$above" ] || fail "user $(id -u) cannot write \`$above\`: give the volume to that user"
    [ ! -d "$data" ] || rmdir -- "$data" 2>/dev/null || fail "\`$data\` is neither empty nor MariaDB's: it is left alone"
    new=$data.new
    rm -rf -- "$new"

    # Without accounts for this container's host name, which the next one has not; what it prints is advice for whoever runs it by hand.
    mariadb-install-db --datadir="$new" --auth-root-authentication-method=normal --skip-test-db --cross-bootstrap >/dev/null
    accounts | mariadbd --datadir="$new" --bootstrap || fail 'cannot make the accounts'
    sync
    mv -T -- "$new" "$data"
}

case ${1:-} in
    '' | -*) set -- mariadbd "$@" ;;
esac
if [ "$1" = mariadbd ]; then
    [ -d "$data/mysql" ] || make_tables
    unset MARIADB_ROOT_PASSWORD MARIADB_PASSWORD
fi
exec "$@"
