package scenes

import "strings"

// Affirm gives sentences that say s, the shortest first, and Deny as many that say
// it is not so, each in the words of the one that affirms.
func (s Statement) Affirm() []string { return s.sentences(false) }

// Deny is Affirm's contrary.
func (s Statement) Deny() []string { return s.sentences(true) }

func (s Statement) sentences(not bool) []string {
	pick := func(yes, no string) string {
		if not {
			return no
		}
		return yes
	}
	if s.A == something {
		return s.indefinite(pick)
	}
	no, isNot := pick(article(s.A), "no "+s.A), pick("is", "is not")
	switch s.Relation {
	case There:
		return []string{no, "there is " + no}
	case In, On:
		where := string(s.Relation) + " " + article(s.B)
		definite := where
		if s.B == table {
			where = "on the table"
			definite = where
		} else if strings.Contains(s.B, " ") {
			definite = string(s.Relation) + " the " + s.B
		}
		return []string{no + " " + where, "there is " + no + " " + where, "the " + s.A + " " + isNot + " " + definite}
	case Holds:
		return []string{"the gripper holds " + no, no + " in the gripper", "the " + s.A + " " + isNot + " in the gripper"}
	case Left, Right:
		side := string(s.Relation) + " of "
		return []string{no + " " + side + article(s.B), "there is " + no + " " + side + article(s.B), "the " + s.A + " " + isNot + " " + side + "the " + s.B}
	}
	state := map[Relation]string{Empty: "empty", Open: "open", Shut: "closed"}[s.Relation]
	return []string{pick(article(state+" "+s.A), "no "+state+" "+s.A), "there is " + pick(article(state+" "+s.A), "no "+state+" "+s.A), "the " + s.A + " " + isNot + " " + state}
}

// indefinite are the sentences about something.
func (s Statement) indefinite(pick func(yes, no string) string) []string {
	what := pick("something", "nothing")
	if s.Relation == Holds {
		return []string{"the gripper holds " + what, what + " in the gripper", "there is " + what + " in the gripper"}
	}
	return []string{what + " in " + article(s.B), "there is " + what + " in " + article(s.B), "there is " + what + " in the " + s.B}
}

// article gives a noun its article.
func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
