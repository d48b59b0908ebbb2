-- What `npm run lint:lua` goes by. It checks the scripts as they are sent, each with its helpers; of
-- the files that these are made of, which name helpers of other files, only the form.

-- What Redis gives to scripts, as far as the scripts may use it: they decode no value, so of cjson
-- there is only what encodes, and nothing of cmsgpack. Lua 5.4, which Dragonfly has, has `table.unpack` for `unpack`.
stds.redis = {
  read_globals = {
    'KEYS',
    'ARGV',
    redis = { fields = { 'call', 'pcall' } },
    cjson = { fields = { 'encode' } },
    table = { fields = { 'unpack' } },
  },
}

std = 'lua51+redis'
max_line_length = 100

files['src/store/redis/scripts'] = { only = { '6' } }
files['test/lua54'] = { std = 'lua54' }
