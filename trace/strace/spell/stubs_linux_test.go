package spell_test

func transferCalls(k *child)   {}
func messageCalls(k *child)    {}
func waitingCalls(k *child)    {}
func descriptorCalls(k *child) {}
func programCalls(k *child)    {}
