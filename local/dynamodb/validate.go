package dynamodb

func checkKeyContent(name string, v value, sort bool) error {
	if v.text == "" {
		return emptyKey("", v.kind, " Key: "+name)
	}
	if sort && len(v.text) > maxRangeKeyBytes && v.kind != kindN {
		return invalidValue("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	if len(v.text) > maxHashKeyBytes && v.kind != kindN {
		return invalidValue("Size of hashkey has exceeded the maximum size limit of2048 bytes") // AWS writes it so
	}
	return nil
}

// emptyKey words an empty key as AWS does: what was tried, then where.
func emptyKey(tried string, k kind, where string) error {
	what := "string"
	if k == kindB {
		what = "binary"
	}
	return invalid("One or more parameter values are not valid. %sThe AttributeValue for a key attribute cannot contain an empty %s value.%s", tried, what, where)
}

// checkKey proves the Key of a request against the table.
func (t *table) checkKey(key item) error {
	attributes := t.key.attributes()
	if len(key) != len(attributes) {
		return invalid("The provided key element does not match the schema")
	}
	for i, a := range attributes {
		v, found := key[a.name]
		if !found || v.kind != a.kind {
			return invalid("The provided key element does not match the schema")
		}
		if err := checkKeyContent(a.name, v, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// checkItem proves a whole item: its keys, its index keys, its size and depth.
func (t *table) checkItem(it item) error {
	for i, a := range t.key.attributes() {
		v, found := it[a.name]
		if !found {
			return invalidValue("Missing the key %s in the item", a.name)
		}
		if v.kind != a.kind {
			return invalidValue("Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, v.kind)
		}
		if err := checkKeyContent(a.name, v, i > 0); err != nil {
			return err
		}
	}
	if err := t.checkIndexKeys(it, false); err != nil {
		return err
	}
	if it.size() > maxItemBytes {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return checkContent(it)
}

func (t *table) checkIndexKeys(it item, updated bool) error {
	for _, x := range t.indexes {
		for i, a := range x.key.attributes() {
			v, found := it[a.name]
			if !found {
				continue
			}
			if v.kind != a.kind {
				return invalidValue("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.name, a.kind, v.kind, x.name)
			}
			if v.text == "" {
				if updated {
					return emptyKey("The update expression attempted to update a secondary index key to a value that is not supported. ", v.kind, "")
				}
				return emptyKey("A value specified for a secondary index key is not supported. ", v.kind, " IndexName: "+x.name+", IndexKey: "+a.name)
			}
			if err := checkKeyContent(a.name, v, i > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkContent refuses names that are too long and values nested too deeply.
func checkContent(it item) error {
	for name, v := range it {
		if name == "" {
			return invalidValue("an attribute name must not be empty")
		}
		if len(name) > maxNameBytes {
			return invalidValue("an attribute name is longer than %d bytes", maxNameBytes)
		}
		if v.depth() > maxNesting {
			return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
		}
	}
	return nil
}

// depth counts levels: a scalar is one, a list of scalars two.
func (v value) depth() int {
	below := 0
	for _, e := range v.list {
		below = max(below, e.depth())
	}
	for _, e := range v.m {
		below = max(below, e.depth())
	}
	return below + 1
}
