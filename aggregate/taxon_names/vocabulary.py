"""The words in labels that are neither names nor authors, and what each is read as."""


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SIGNS = ("×", "x", "X", "+")
"""Signs of hybrids, and of graft chimaeras."""

UNKNOWN_SPECIES = words_of("sp spp sps spec species indet ind")
"""After a genus: a species of it. These and the words below are without full stops."""

INFRAGENERIC = {
    **dict.fromkeys(words_of("sect section sectio"), "sect."),
    **dict.fromkeys(words_of("subsect subsection subsectio"), "subsect."),
    **dict.fromkeys(words_of("subg subgen subgenus"), "subg."),
    **dict.fromkeys(words_of("ser series"), "ser."),
    **{name: f"{name}." for name in words_of("subser nothosect nothosubg")},
}
"""A rank between genus and species -> as it is written."""

MARKERS = {
    **dict.fromkeys(words_of("subsp ssp subspecies subspec"), "subsp."),
    **dict.fromkeys(words_of("nothosubsp nothossp"), "nothosubsp."),
    **dict.fromkeys(words_of("var varietas variety"), "var."),
    **dict.fromkeys(words_of("f fo forma form"), "f."),
    **{name: f"{name}." for name in words_of("subvar subf convar nothovar nothof prol")},
}
"""A rank below species -> as it is written."""

AGGREGATES = words_of("agg aggr aggregate coll complex group grp gr")
"""After a species, in lower case: the species and those that are hard to tell from it."""

CULTIVAR_GROUPS = ("Group", "Grp", "Gp")

UNCERTAIN = {
    **dict.fromkeys(words_of("cf cfr"), "cf."),
    **dict.fromkeys(words_of("aff nr near"), "aff."),
    **dict.fromkeys(words_of("hybrid hybr hyb"), "a hybrid without a name"),
    **dict.fromkeys(
        words_of("not maybe perhaps possibly probably prob likely sure unsure uncertain doubtful dubious"),
        "a doubt in words",
    ),
    **dict.fromkeys(words_of("auct auctt sensu sens pp partim"), "a name in another sense"),
}
"""A word -> why a label with it names no species for certain."""

ALSO_AUTHORS = words_of("not prob pp")
"""Those of UNCERTAIN that are authors if they begin with a capital: De Not., Prob."""

SEVERAL = words_of("or oder ou vel versus vs")
"""Words between two names of which one is meant."""

PLACEHOLDERS = words_of(
    "nothing nothinghere nthnghr unknown unidentified undetermined undefined unspecified unidentifiable unclassified "
    "none no not empty blank other others various several any some misc miscellaneous na null nan nil indet "
    "missing incertae"
)
"""First words, in lower case, of labels that name no taxon."""

CONNECTIVES = words_of("& and et ex in apud y e i al. al non nec bis emend. emend fil. fil f. f pro syn")
"""Words in lower case among authors that cannot begin a citation."""

PARTICLES = words_of(
    "hort. hort ined. ined a af auf'm av d da dal dalla das de degli dei del dela della den der des di do dos du el la "
    "las le les li lo los mac 'm nom. 's san st. 't te ten ter tom tot v. van von vom vor zu zum zur y"
)
"""Words in lower case among authors that may."""

AUTHORS_IN_FULL = words_of(
    "adanson boddaert brisson brown burmeister cuvier erxleben fabr fabricius forster geoffroy gmelin gould gray "
    "horsfield illiger jussieu lacépède lamarck latham latreille leach lindley linn linnaeus linne linné miller "
    "montagu müller olivier pallas pontoppidan rafinesque schreber scopoli smith sparrman swainson temminck thunberg "
    "tournefort vieillot vigors wagler zimmermann"
)
"""Authors of genera who are cited without a full stop, so that they could be taken for an epithet with a capital."""

NO_EPITHET = words_of("cv sic").union(
    *(UNKNOWN_SPECIES, INFRAGENERIC, MARKERS, AGGREGATES, UNCERTAIN, SEVERAL, CONNECTIVES, PARTICLES)
)
"""Words that are no epithets, though they are written like one."""
