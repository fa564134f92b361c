package eval

// builtinFamilies is the list of everything that exists, in the order of the reference.
func builtinFamilies() []Family {
	return []Family{
		operatorFamily,
		logicFamily,
		predicateFamily,
		conditionalFamily,
		mathFamily,
		stringFamily,
		patternFamily,
		encodingFamily,
		temporalFamily,
		formatFamily,
		clockFamily,
		collectionFamily,
		arrayFamily,
		mapFamily,
		jsonFamily,
		miscFamily,
	}
}
