-- Sessions that one script ends go together: one DEL of all keys, one ZREM a set.

-- Notes that an id is to leave its sets. `removals` has the ids by the names of sets.
local function note_removals(removals, names, id)
  for _, name in ipairs(names) do
    local ids = removals[name]
    if ids then
      ids[#ids + 1] = id
    else
      removals[name] = { id }
    end
  end
end

-- Before the first write: stops a set of the wrong type. `read` is the name of one that was read
-- already, if any.
local function check_removals(removals, read)
  for name in pairs(removals) do
    if name ~= read or has_mark(name) then
      check_types('', { name })
    end
  end
end

-- Deletes the hashes of sessions at their `id` and at the ids of their `trail`, if any, and the
-- pointers of their `lineage`.
local function delete_sessions(sessions)
  local keys = {}
  for _, session in ipairs(sessions) do
    keys[#keys + 1] = derive_session_key(session.id)
    if session.trail then
      for _, old in ipairs(session.trail) do
        keys[#keys + 1] = derive_session_key(old)
      end
    end
    if session.lineage then
      keys[#keys + 1] = derive_pointer_key(session.lineage)
    end
  end
  delete_keys(keys)
end

-- Removes the entries. `emptied` is the name of a set that has none left then, if that is known.
local function remove_entries(removals, emptied)
  for name, ids in pairs(removals) do
    call_in_batches('ZREM', derive_set_key(name), ids)
    if derive_plain_key(name) then
      call_in_batches('SREM', derive_plain_key(name), ids)
    end
    if name ~= emptied then
      note_change(name, 0)
    end
  end
end
