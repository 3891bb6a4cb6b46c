# Completion for a command of mt. What follows this function comes from the command's
# option table; shell-completion/generate put it there.

function __mt_accounts -d 'Account names of the client configuration'
    set -l file $MT_CONFIG
    if test -z "$file"
        set -q XDG_CONFIG_HOME; and set -l base $XDG_CONFIG_HOME
        test -n "$base"; or set -l base $HOME/.config
        set file $base/mt/mt.conf
    end
    string replace -rf '^\s*account\s+"?([^"{\s]+).*' '$1' <$file 2>/dev/null
end
