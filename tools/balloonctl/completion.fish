# SPDX-License-Identifier: BSD-2-Clause
# fish completion for balloonctl. Commands and options come from its own --help,
# so that there is nothing to keep in step here.

# The command on the line: the first word that is no option, nor the value of one.
function __balloonctl_command
    set -l words (commandline -opc)
    set -l skip 1
    for word in $words
        if test $skip = 1
            set skip 0
        else
            switch $word
                case -g --guest -t --timeout
                    set skip 1
                case '-*'
                case '*'
                    echo $word
                    return 0
            end
        end
    end
    return 1
end

function __balloonctl_program
    set -l words (commandline -opc)
    echo $words[1]
end

function __balloonctl_commands
    eval (__balloonctl_program) --help 2>/dev/null |
        string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2' | string replace -ra ' +' ' '
end

function __balloonctl_options
    eval (__balloonctl_program) (__balloonctl_command) --help 2>/dev/null |
        string match -ra -- '--[a-z][a-z-]*' | sort -u
end

function __balloonctl_guests
    set -l folder /tmp
    set -q XDG_RUNTIME_DIR; and set folder $XDG_RUNTIME_DIR
    for socket in $folder/aerostat-(id -u)/*.qmp
        string replace -r '.*/(.*)\.qmp$' '$1' -- $socket
    end
end

complete -c balloonctl -n 'not __balloonctl_command >/dev/null' -f -a '(__balloonctl_commands)'
complete -c balloonctl -n 'not __balloonctl_command >/dev/null' -s g -l guest -r -a '(__balloonctl_guests)' -d 'the guest'
complete -c balloonctl -n 'not __balloonctl_command >/dev/null' -s t -l timeout -x -d 'seconds for all answers'
complete -c balloonctl -n 'not __balloonctl_command >/dev/null' -s h -l help -d 'say what it can do'
complete -c balloonctl -n 'not __balloonctl_command >/dev/null' -s V -l version -d 'say its version'
complete -c balloonctl -n '__balloonctl_command >/dev/null; and string match -q -- "-*" (commandline -ct)' -f -a '(__balloonctl_options)'
complete -c balloonctl -n 'contains -- (__balloonctl_command) watch export' -a '(__balloonctl_guests)'
