//! Given names that stand for one another.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// English given names and their short or pet forms, a group a line, the full name first.
///
/// Names of common knowledge, written down for this table; spelling variants stand in the group of the name they vary.
const ENGLISH: &str = "
abigail abby abbie gail
abraham abe bram
adelaide addie ada
adrian ade
agnes aggie nessie
alan al allan allen
albert al bert bertie
alexander alex al alec sandy sasha xander lex
alexandra alex sandra sandy sasha lexi alexa
alfred alf alfie fred freddie
alice ali allie
alison ali allie
amanda mandy manda
amelia amy millie mia
andrew andy drew
angela angie ange
anne ann anna annie nan nancy hannah
anthony tony ant antony
antonia toni
arabella bella ara
archibald archie
arnold arnie
arthur art artie
augustus gus august
barbara barb barbie babs
barnabas barney
bartholomew bart
beatrice bea trixie beatrix
benjamin ben benny benji
bernard bernie barney
bradley brad
caroline carol carrie caro lina carolyn
cassandra cass cassie sandra
catherine cathy cath cat kate katie kathy kay kit kitty kathryn katherine katharine kathleen catharine
cecilia cecily celia cissy
charles charlie chuck chas chaz
charlotte charlie lottie lotta
christine chris chrissy christina tina christie kristine kristina
christopher chris kit topher kristopher
clarence clarry
clifford cliff
constance connie
cornelius neil corny
curtis curt
cynthia cindy
daniel dan danny
david dave davy
deborah deb debbie debra
dennis denny den
dominic dom nick
donald don donnie
dorothy dot dottie dolly dora dorothea
douglas doug
edith edie
edmund ed eddie ned ted
edward ed eddie ned ted teddy
edwin ed eddie
eleanor ellie nell nellie nora lenora elinor
elizabeth liz lizzie liza beth betty bess bessie betsy eliza elsie libby lisa lisbeth elisabeth
emily em emmie millie
emma em emmie
ernest ernie
esther essie hester
eugene gene
evelyn eve evie
ezekiel zeke
felicity fliss flick
florence flo florrie flossie
frances fran fanny frankie francie
francis frank frankie fran
franklin frank
frederick fred freddie freddy fritz rick frederic
gabriel gabe
gabrielle gabby gaby
genevieve gen jenny viv
geoffrey geoff jeff jeffrey
george georgie
georgina georgie gina georgia
gerald gerry jerry
gertrude gert gertie trudy
gilbert gil bert
gregory greg gregg
gwendolyn gwen wendy
hannah anna annie
harold harry hal
harriet hattie harry
helen nell nellie lena ellen helena
henrietta hetty etta
henry harry hank hal
herbert herb bert bertie
howard howie
hubert bert hugh
irene rene
isaac ike zac
isabella isabel bella izzy belle isobel isabelle
isaiah zay
jacob jake jay
jacqueline jackie jacqui
james jim jimmy jamie jem
jane janey jenny janet janice
jeffrey jeff
jennifer jen jenny jenna
jeremiah jerry jem
jeremy jem jerry
jessica jess jessie
joan joanie jo
joanna jo joanne anna
john jack johnny jon
jonathan jon jonny nathan
joseph joe joey jo jos
josephine jo josie
joshua josh
judith judy judi
julia julie jules
julian jules
juliet jules julie
katrina kat trina kate
kenneth ken kenny
kimberley kim kimberly
laura laurie lori
lawrence larry laurie lorry laurence
leonard len lenny leo
leopold leo
leslie les lesley
lewis lew louis
lillian lily lil lilian
louis lou louie
louise lou lulu
lucille lucy lucinda
lucy lu
madeleine maddie maddy madeline
magdalena lena magda maggie
malcolm mal
margaret maggie meg megan peggy peg marge margie greta rita daisy madge margot
marjorie marge margie
martha marty mattie patty
martin marty
mary molly polly mae may mamie maria marie
matilda tilly mattie maud
matthew matt matty
maureen mo
maximilian max
maxwell max
melanie mel
melissa mel missy lissa
michael mike mick mickey micky mikey mitch
michelle shelly mich
mildred millie milly
miranda mira randy
mitchell mitch
montgomery monty
mortimer mort
moses mo moe
nancy nan
natalie nat nattie
natasha tash nat
nathaniel nat nate nathan
neville nev
nicholas nick nicky nico klaus nicolas
nicola nicky nikki
nicole nicky nikki
norman norm
oliver ollie noll
olivia liv livvy ollie
oscar ozzie
oswald ozzie oz
pamela pam pammy
patricia pat patsy patty tricia trish
patrick pat paddy
pauline polly
penelope penny pen
percival percy
peter pete
philip phil pip phillip
philippa pip pippa
phyllis phyl
priscilla cilla
prudence prue pru
rachel rach shelly rachael
ralph ralphie
randolph randy dolph
randall randy
raymond ray
rebecca becca becky beck
reginald reg reggie rex
richard rick ricky dick rich richie
robert bob bobby rob robbie bert robin
roberta bobbie robbie
roderick rod roddy rick
rodney rod
roger rodge
roland rollo rolly
ronald ron ronnie
rosalind ros roz rosie
rosemary rose rosie
rowena ro
rudolph rudy dolph
rupert rupe
russell russ rusty
samantha sam sammy
samson sam
samuel sam sammy
sarah sally sadie sal sara
sebastian seb bas
sharon shaz
sheila shelly
shirley shirl
sidney sid sydney
simon si
sophia sophie
solomon sol solly
stanley stan
stephanie steph steffi
stephen steve stevie steph steven stefan
stuart stu stewart
susan sue susie suzie suzy susanna suzanne susannah
sylvester sly
sylvia syl
terence terry terrence
teresa terry tess tessa theresa resa
thaddeus tad thad
theodora dora thea theo
theodore ted teddy theo
thomas tom tommy
timothy tim timmy
tobias toby
ursula ulla
valentine val
valerie val
vanessa nessa ness
veronica ronnie vera
victor vic
victoria vicky vic tori vickie
vincent vince vin vinny
violet vi
virginia ginny ginger
vivian viv vivienne
wallace wally
walter walt wally wat
wilfred wilf fred
wilhelmina mina minnie willa billie
william bill billy will willie liam willy
winifred win winnie freda
winston win
yvonne vonnie
zachary zac zach zack zachariah
";

/// A table of names that stand for one another.
///
/// A group is known by its first name; a name may be in several groups (`bert` stands for Albert, Herbert and Robert). Names are
/// folded: case, accents and anything but letters and digits do not count.
///
/// ```
/// use hotpass_resolve::engine::kernels::nickname::Nicknames;
///
/// let table = Nicknames::from_lines("ignatius naas iggy\njohannes hannes jannie");
/// assert_eq!(table.groups("Jannie"), ["johannes"]);
/// assert_eq!(table.groups("Thandi"), ["thandi"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nicknames {
    groups_of: HashMap<String, Vec<String>>,
}

impl Nicknames {
    /// Gives the built-in table of English given names.
    pub fn english() -> &'static Self {
        static TABLE: LazyLock<Nicknames> = LazyLock::new(|| Nicknames::from_lines(ENGLISH));
        &TABLE
    }

    /// Reads a group a line: the full name, then the names that stand for it, separated by spaces, tabs or commas.
    ///
    /// Empty lines and what follows `#` are left out. Lines with the same full name make one group.
    pub fn from_lines(lines: &str) -> Self {
        let mut table = Self::default();
        for line in lines.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut names = line.split([' ', '\t', ',', ';']).filter(|name| !name.is_empty());
            if let Some(full_name) = names.next() {
                table.add(full_name, full_name);
                names.for_each(|name| table.add(full_name, name));
            }
        }
        table
    }

    /// Builds a table from pairs of a full name and a name that stands for it.
    pub fn from_pairs<Full: AsRef<str>, Short: AsRef<str>>(pairs: impl IntoIterator<Item = (Full, Short)>) -> Self {
        let mut table = Self::default();
        for (full_name, name) in pairs {
            table.add(full_name.as_ref(), full_name.as_ref());
            table.add(full_name.as_ref(), name.as_ref());
        }
        table
    }

    /// Adds the groups of another table.
    #[must_use]
    pub fn extended_by(mut self, other: &Self) -> Self {
        for (name, groups) in &other.groups_of {
            for group in groups {
                self.add(group, name);
            }
        }
        self
    }

    /// Gives the groups of a name, sorted; the folded name itself if it is in none, nothing for a text without letters or digits.
    pub fn groups(&self, name: &str) -> Vec<String> {
        let folded = fold(name);
        if folded.is_empty() {
            return Vec::new();
        }
        self.groups_of.get(&folded).cloned().unwrap_or_else(|| vec![folded])
    }

    /// Tells whether two names share a group.
    pub fn same_group(&self, left: &str, right: &str) -> bool {
        let groups = self.groups(left);
        self.groups(right).iter().any(|group| groups.contains(group))
    }

    fn add(&mut self, full_name: &str, name: &str) {
        let (group, name) = (fold(full_name), fold(name));
        if group.is_empty() || name.is_empty() {
            return;
        }
        let groups = self.groups_of.entry(name).or_default();
        if let Err(at) = groups.binary_search(&group) {
            groups.insert(at, group);
        }
    }
}

/// Gives the groups of a name in the built-in table, see [`Nicknames::groups`].
pub fn nickname_group(name: &str) -> Vec<String> {
    Nicknames::english().groups(name)
}

fn fold(name: &str) -> String {
    super::organization::fold(name).chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(left: &str, right: &str, expected: bool) {
        assert_eq!(Nicknames::english().same_group(left, right), expected, "{left} and {right}");
        assert_eq!(Nicknames::english().same_group(right, left), expected, "{right} and {left}");
    }

    #[test]
    fn short_forms_stand_for_full_names() {
        check("Bill", "William", true);
        check("Liz", "BETTY", true);
        check("Bert", "Robert", true);
        check("Bert", "Albert", true);
        check("Albert", "Robert", false);
        check("Zoë", "zoe", true);
        check("Thandeka", "Thandi", false);
        check("", "", false);
        check("Jean-Paul", "jean paul", true);
    }

    #[test]
    fn own_tables_come_from_lines_or_pairs() {
        let lines = Nicknames::from_lines("# mine\nHendrik, Hennie, Drikus\n\nhendrik henk # more\n");
        let pairs = Nicknames::from_pairs([("hendrik", "hennie"), ("hendrik", "drikus"), ("hendrik", "henk")]);
        assert_eq!(lines, pairs);
        assert!(lines.clone().extended_by(Nicknames::english()).same_group("Bill", "Will"));
        assert!(!lines.same_group("Bill", "Will"));
    }

    #[test]
    fn every_line_of_the_built_in_table_is_one_group() {
        for line in ENGLISH.lines().filter(|line| !line.is_empty()) {
            let mut names = line.split(' ');
            let full_name = names.next().unwrap();
            let mut seen = vec![full_name];
            for name in names {
                assert!(Nicknames::english().groups(name).contains(&full_name.to_owned()), "{name} of {full_name}");
                assert!(!seen.contains(&name), "{name} is twice in the group of {full_name}");
                seen.push(name);
            }
        }
    }

    proptest! {
        #[test]
        fn a_name_is_in_its_own_group(name in "\\PC{0,16}|[a-z]{2,8}") {
            prop_assert_eq!(Nicknames::english().same_group(&name, &name), !nickname_group(&name).is_empty());
        }
    }
}
