//! Lists of given and family names, and of words that no person is called by.
//!
//! The names are common ones, by the languages they are at home in. A list of this size finds the more frequent names only, so
//! what it says has a low confidence; headers, titles and the words around a name say more.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Common given names in small letters, by where they are at home. A name stands once.
const GIVEN_NAMES: &[&str] = &[
    // South African and European.
    "aisha alex ali amanda amina amy andile andre andrew anele angela anna anne annelie antonio ayanda ayesha barend ben \
     bheki bongani brian busisiwe carlos catherine charl charles charlotte chris christine claire craig daniel david deon \
     dineo dumisani elena elizabeth elsa emily emma eric esther fatima francois frank gareth george gerhard grace gugu \
     hannah hannes hans helen hendrik henry ingrid isabel itumeleng jabu jacob jacques james jan jane janet jason jean \
     jennifer jessica johan johannes john joseph julia karabo karen karl kate katlego kevin kgomotso khanyi kobus laura \
     lebo lebogang lerato linda lindiwe lisa louis lucy lungile lwazi mandla maria marie mark martha martin mary matthew \
     megan michael michelle mohamed mohammed mpho muhammad naledi nandi neo nicole nkosana nomsa nomvula nthabiseng olivia \
     palesa patricia paul peter petrus philip pierre pieter precious priya rachel refilwe riaan richard robert ruth samuel \
     sandra sarah sean sharon sibongile sibusiso simon siphiwe sipho siyabonga sofia sophie stefan stephen steven susan \
     tebogo thabiso thabo thandeka thandi thandiwe themba thomas tshepo tumelo unathi victor vusi wilhelm willem william \
     xolani yolanda zainab zanele zodwa zuma",
    // English, Irish, Scottish, Welsh.
    "adam adrian aidan alan albert alexander alexandra alice alison allison amelia andrea anita ann annabel anthony antony \
     arthur audrey barbara barry beatrice becky bernard beth betty beverly bob bradley brenda brendan bridget bruce calum \
     cameron carl carol caroline carolyn cathy cecilia charlie cheryl christina christopher cindy clara clive colin connor \
     cynthia damian darren dawn debbie deborah dennis derek diana diane donald donna dorothy douglas duncan dylan edith \
     edward eileen elaine eleanor ellen elliot erin ethan eva evan evelyn fiona frances francis fred gary gavin geoffrey \
     gerald gillian glen glenn gordon graham greg gregory gwen harold harriet heather heidi helena hilary howard hugh ian \
     irene iris isaac isabella isla jack jackie jacqueline jake jamie janice jeff jeffrey jenny jeremy jerry jill jim joan \
     joanna joanne joe joel jonathan josephine joshua joyce judith judy julian julie justin katherine kathleen kathryn \
     katie keith kelly ken kenneth kerry kieran kim kirsty kristen kyle lauren laurence lawrence leah leon leonard leslie \
     lewis liam lillian lindsay lloyd lorna lorraine louise luke lynn lynne malcolm marcus margaret marilyn marion marjorie \
     matt maureen maxine melanie melissa michele mike mildred miles miranda moira molly monica muriel nancy naomi natalie \
     nathan neil niamh nicholas nicola nigel noel nora norman oliver oscar owen pam pamela patrick paula pauline peggy \
     penelope percy philippa phillip phoebe phyllis rachael ralph raymond rebecca rhys robin roderick rodney roger roland \
     ronald rosemary rosie ross rowan roy russell ryan sally sam samantha scott sheila shirley sian simone sinead siobhan \
     siobhán sonia sophia stacey stanley stella stephanie steve stuart susanna sylvia tamara tara terence teresa terry \
     tessa theresa tim timothy tina tobias tom tony tracey tracy trevor valerie vanessa vera veronica vicky vincent \
     virginia vivian vivienne walter wayne wendy wesley yvonne zachary zoe",
    // Afrikaans and Dutch.
    "adriaan albertus andries annatjie anneke annelize anouk antjie arie arno bart bas bernardus bram carel chantal \
     christiaan coenraad cornelia cornelis cornelius daan danie dawie dirk dries elize elmarie elna ernst esmarie ferdinand \
     floris francina frans frederik frikkie gerda gerrit gert gideon hanneke hannelie hendrika hendrina henk hennie herman \
     hermanus ilse ineke izak jaap jaco jacoba jacobus jannie jasper jeroen johanna joost joris jurgen karien karin katrien \
     kees klaas koos lars leendert lien lieve lizette lourens maarten madelein magda margriet marieke marietjie marike \
     marius marlene marloes martie martiens mathilda mieke neels nelis nico niek ockert paulus petronella piet pieternel \
     retief rika roelof rolf ruan rudi sanne saskia schalk sjaak sjoerd stefanie sunette thijs tineke tjaart truus wessel \
     wilhelmina willie wim wouter zelda",
    // Nguni, Sotho, Tswana, Venda, Tsonga.
    "amogelang anathi andiswa asanda avela ayabonga babalwa bafana bandile bathabile boitumelo bonginkosi bontle buhle \
     bulelani busi cebile dikeledi duduzile dumisa fikile fundiswa gcina hlengiwe hlumelo hulisani innocentia jabulani \
     jabulile kagiso kamogelo katleho kefilwe kgosi khanyisile khaya khayalethu khethiwe khumo lehlohonolo lesedi lethabo \
     letlhogonolo lindani lindokuhle litha londiwe lufuno luthando luyanda lwandile mahlatse malebo mamello mandisa \
     maphuthi masego mbali mbongeni mduduzi melokuhle mfundo minenhle mmabatho mmathapelo mncedisi molefe mosa motshabi \
     mthokozisi musa musawenkosi mxolisi nande ndivhuwo ndumiso nhlanhla njabulo nkosazana nkosinathi nkululeko nokuthula \
     nokwanda noluthando nolwazi nomalanga nomathemba nombuso nomfundo nompumelelo nomusa nomzamo nonhlanhla nontobeko \
     nosipho noxolo ntando nthati ntombi ntsako nwabisa olwethu onthatile oratile phakamile philani phindile phumzile \
     portia puleng qiniso rethabile retshepile rirhandzu rofhiwa samkelo sandile sanele sello senzo sfiso sibahle sibonelo \
     sifiso sihle sikhumbuzo simphiwe sinazo sindi sindiswa sinethemba siphamandla siphesihle siyanda sizwe solomzi \
     sonwabile sphiwe sthembiso sungano takalani tendani thabang thabisile thami thandazile thandokazi thato thembeka \
     thembelani thembi thembinkosi thenjiwe thokozani thulani thuli thulile tiisetso tintswalo tlhalefo tlotlo tsepo \
     tshegofatso tshiamo tsholofelo tumi unam vukosi vuyani vuyisile vuyo vuyokazi wandile wanga xolile xoliswa yandisa \
     yanga zakhele zama zandile zinhle zintle zipho zolani zukiswa zwelethu",
    // West and East African.
    "abebe abena abiodun achieng adaeze adanna adebayo ademola adesua adwoa afia akinyi akosua akua akwasi ama amaka amara \
     amare anyango atieno awino ayo ayodele babatunde baraka bolanle bukola chiamaka chibueze chidi chidinma chika chinedu \
     chinwe chioma chipo chukwuemeka ebele efua ekow emeka ephraim eshe esi farai fatou femi folake funke funmilayo gathoni \
     gitau habiba halima ifeanyi ifeoma ikenna jelani jomo juma kamau kariuki kehinde kelechi kendi khadija kipchoge koffi \
     kofi kojo kudzai kwabena kwadwo kwaku kwame kwasi kwesi lekan makena mamadou moussa mumbi munashe muthoni mutua mwangi \
     mwende nanjala ndidi ngozi njeri njoki nkechi nnamdi nneka nyambura nyasha obinna ochieng odhiambo okechukwu okoro \
     olamide olayinka olufemi olumide oluwaseun oluwatobi omondi onyeka otieno ousmane rehema rudo sade segun sekou sola \
     tafadzwa taiwo tapiwa tariro tatenda temitope tendai tinashe titilayo tobi tolu tsitsi tunde uche ugochukwu uzoma \
     wairimu wambui wangari wanjala wanjiku wanjiru yaa yaw yejide zawadi zuberi",
    // German.
    "achim albrecht andreas anja anke annegret annette antje arnd astrid axel barbel bastian beate bernd bernhard bettina \
     birgit bjorn björn brigitte brunhilde bärbel carsten christa christian christiane christoph claudia claus cordula \
     dagmar detlef dieter dietmar dietrich dominik doris eberhard eckhard edeltraud elfriede elisabeth elke emil erich \
     erika erwin eugen ewald felix florian franz franziska frauke frieda friedrich fritz gabriele georg gerd gerlinde \
     gerold gertrud gisela gottfried gregor gudrun guenther gunter gustav günter günther hanna hannelore hanno hanspeter \
     harald hartmut hedwig heike heiko heiner heinrich heinz helga helge helmut henning henrike herbert heribert hermann \
     hilde hildegard holger horst hubert ines inge ingeborg ingo irmgard jens joachim jochen jutta jörg jürgen kai karla \
     karlheinz karola katharina kathrin katja katrin kerstin klaus konrad konstantin kurt leonie liesel lieselotte lothar \
     ludwig lukas lutz manfred manuela maren margarete margot margrit marianne maximilian mechthild meike melitta moritz \
     nadine niklas nils norbert olaf oskar ottmar otto petra rainer ralf regina reiner reinhard reinhold renate rosemarie \
     rudolf rüdiger sabine sabrina sebastian siegbert siegfried sigrid silke silvia steffen susanne svenja swantje sybille \
     theodor thorsten tilman torsten traudl trude udo ulf ulrich ulrike ursula ute uwe verena viktor volker volkmar \
     waltraud werner wiebke wilfried wilhelmine winfried wolfgang wolfram",
    // French.
    "adèle agathe agnès aimée alain alexandre alexis alphonse amélie anaïs antoine antoinette arnaud aurélie aurélien \
     baptiste bastien benoît bernadette bertrand béatrice bénédicte camille capucine charlène chloe chloé chloë christelle \
     christophe clémence clément clémentine colette corinne cécile cédric céline damien danielle delphine denis denise \
     didier dominique eliane emmanuel emmanuelle estelle eugénie fabien fabienne fabrice fanny fernand florent françois \
     françoise frédéric gabriel gaston gaël gaëlle geneviève georges georgette germaine ghislaine gilbert gilles ginette \
     grégoire guillaume guy gwenaëlle gérald gérard henri henriette hervé honoré hugues huguette hélène inès irène isabelle \
     jean-claude jean-luc jean-marc jean-paul jean-pierre jeannine josette josiane joëlle judicaël julien juliette jérôme \
     laetitia laure laurent lilian lionel louane loïc luc lucas lucie lucien lucienne ludovic léa léo léon madeleine manon \
     marcel marcelle margaux marguerite marie-claire marie-claude marie-france marie-hélène marie-louise marie-thérèse \
     marine marlène marthe martine mathieu mathilde matthieu maud maurice maxence maxime mickaël mireille monique morgane \
     myriam mélanie nadège nathalie nicolas noémie odette odile olivier ophélie pascal pascale patrice paulette perrine \
     philippe pierrette quentin raoul raphaël raymonde renaud rené renée romain rosalie roseline régis rémi rémy sandrine \
     solange solène stéphane stéphanie suzanne sylvain sylvie sébastien séverine thibault thierry théo thérèse valentin \
     valérie victoire violette virginie vivien véronique xavier yann yannick yolande yves yvette édouard élisabeth élise \
     élodie émile émilie éric étienne évelyne",
    // Spanish and Portuguese.
    "adela adolfo adriana afonso agustín alba alberto alejandra alejandro alfonso alfredo alicia amparo ana andrés antónio \
     araceli armando arturo aurora beatriz belén benjamín berta blanca bruna bruno caio camila carla carlota carmen \
     carolina catarina cecília celia celso clarice claudio conceição consuelo cristiano cristina cristóbal césar daniela \
     diego diogo dolores domingo débora edgar eduarda eduardo elisa eloísa emilia emilio encarnación enrique ernesto \
     esperanza esteban estela eugenio eunice fabiana federico felipe fernanda fernando filipa filipe flávia flávio \
     francisca francisco fábio fátima gabriela gilberto gloria glória gonzalo gonçalo graciela guadalupe guilherme \
     guillermo gustavo helder heloísa henrique hernán hugo ignacio inés inês isidro ismael iván jacinto jaime javier jesús \
     jimena joana joaquim joaquín jorge josefa josefina josé josé-luis joão juan juana juliana julieta julio júlio larissa \
     laís leandro leonardo leonor leticia letícia lidia lorena lorenzo lourdes luana luciana luciano lucía luis luisa luiz \
     luiza luís luísa magdalena manoel manuel marcela marcelo marcos margarida margarita mariana mariano maribel marina \
     mario marisol marta maría mateo mateus matías mauricio maurício mercedes miguel miriam montserrat márcia márcio mário \
     mónica mônica natalia nicolás noelia nuno nélida octavio ofelia olga osvaldo otávio pablo paloma patrícia paulo pedro \
     pilar rafael rafaela ramiro ramón raquel raúl reinaldo renata renato ricardo rita roberto rocío rodolfo rodrigo \
     rogelio rogério rosa rosalía rosario rubén rui santiago sergio severino silvio simão sofía soledad susana sérgio sónia \
     tatiana telma teodoro thiago tiago tomás tânia valentina vasco verónica vicente victoria vinícius virgilio vitor \
     viviana vítor ximena zélia álvaro ángel ângela óscar",
    // Italian.
    "agostino alessandra alessandro alessia alessio ambra angelo annalisa annamaria antonella antonia arianna aurelio \
     bartolomeo benedetta bianca camilla carlo carmela caterina chiara cinzia concetta corrado cosimo daniele davide debora \
     domenico donatella edoardo eleonora elisabetta emanuela emanuele enrico enzo erica ettore fabio fabrizio federica \
     filippo fiorella flavia flavio francesca francesco franco gaetano gennaro giacomo giada gianluca gianni gigliola gino \
     giorgia giorgio giovanna giovanni giulia giuliana giuliano giulio giuseppe giuseppina grazia graziella guido ilaria \
     ivana livia loredana luca lucia lucrezia luigi maddalena marcello marco mariangela mariella marisa massimo matilde \
     matteo mattia maurizio michela mirella mirko nicoletta nunzia orazio ornella ottavio paola paolo patrizia piero pietro \
     raffaele raffaella renzo riccardo rocco rossana rossella salvatore sandro serena silvana simona stefania stefano \
     tiziana tommaso umberto valerio vincenza vincenzo vittoria vittorio",
    // Indian, Pakistani, Arabic, Turkish, Persian.
    "aarav aarti abdul abdullah abhishek adil aditi aditya ahmad ahmed ajay akash akhil alisha aliyah amir amira amit \
     amrita anand anil anjali ankit anoop anupam aparna arjun arun aryan asha ashok ashwin asif aslam ayaan ayşe aziz \
     bharat bilal chandra deepa deepak deepika dev devi dilip dinesh divya ebru elif emine emre esra faisal farah farhan \
     faruk fatma gaurav geeta girish gopal goran govind hakan halil hamid hamza hanif hari harish harpreet hasan hassan \
     hussain hussein ibrahim imran indira irfan ishaan ismail jagdish jamal jasmin jaya jyoti kabir kamal kamala karim \
     karthik kavita kemal khalid khalil kiran kishore komal krishna kumar lakshmi lalit latifa layla leila madhu mahesh \
     mahmood mahmoud manish manju manoj maryam meena meera mehmet merve mohan mohit mukesh mumtaz murat mustafa nabil nadia \
     naeem nagesh naina narayan nasreen nasser naveed naveen neeraj neha nikhil nilesh nisha nitin noor nusrat omar omer \
     osman padma pallavi pankaj parveen pooja prabhu pradeep prakash pramod pranav prashant praveen preeti priyanka rahul \
     raj raja rajan rajesh rajiv raju rakesh ram rama ramesh rania ranjit rashid rashida ravi reena rekha reza riyaz rohan \
     rohit rukhsana sachin sadia saif salim salma sameer samina samir sandeep sangeeta sanjay sanjeev santosh sarita satish \
     selim serkan shabnam shahid shaikh shakira shankar sharmila shilpa shreya shweta siddharth sita smita sneha sridhar \
     srinivas sudha suleiman sultan suman sumit sunil sunita suresh swati tahir tanvi tariq tarun uma umar usha usman varun \
     vasanthi vidya vijay vikas vikram vinay vinod vishal vivek yasmin yasmine yousef youssef yusuf zahra zakir zehra \
     zeynep özge",
    // Slavic, Nordic, Greek, Baltic, Hungarian.
    "agnieszka aleksander aleksandra aleksei alena alexei anastasia anders andrei andrzej anikó annika antonín arkadiusz \
     arne arvid asbjørn balázs barbora bartosz beata bengt birgitta bogdan bohdan borek boris bożena břetislav dagny danuta \
     dariusz dimitri dimitrios dmitri dmitry dorota dušan einar eirik elżbieta erzsébet ewa ferenc fredrik freja galina \
     grażyna grzegorz gunilla gunnar gyula gábor halina hana henryk håkan igor ilona ilya inga inger ivo jacek jadwiga \
     jakub jana janez jaroslav jarosław jerzy jiří josef józef kacper karolina katarzyna katarína kateřina kirsten kjell \
     knut konstantinos krzysztof ladislav larisa lenka lennart leszek libor lidija linnea ljubica lucyna ludmila maciej \
     magnus marcin marek mariusz marjeta martina matej mateusz małgorzata michał mikael mikhail milan milena miloš mirosław \
     monika nadezhda natalya niels nikola nikolai nikolaos oksana oleg ondřej pavel pavol petr petter piotr radek radosław \
     ragnar rune ryszard sergei sigurd solveig stanislav stanisław sven svetlana szymon søren sławomir tadeusz tatjana \
     teodor tomasz tomáš torbjørn tove vasily veronika vladimir vojtěch václav wanda wiesław wojciech władysław yelena yuri \
     zbigniew zdeněk zofia zoltán zsuzsanna åse ørjan łukasz šimon željko",
    // Chinese, Japanese, Korean, Vietnamese, South-East Asian.
    "akiko akira asuka ayumi chen daichi dewi duc eko haruka haruki hiroshi hoa huong indah jae-hyun jing jun kaito kazuki \
     keiko kenji kenta li ling linh megumi mei mei-ling mika min-jun minh miyuki naoki ngoc nguyen nguyễn noriko nurul \
     phuong putri rizal ryota sakura satoshi seo-yeon shinji siti takashi takeshi thao thuy tran trang trần tuan wei xiao \
     xiaoming yan yoko yoshiko yuki yumi yuto zhang",
];

/// Family names that are seldom anything else, in small letters.
const FAMILY_NAMES: &str = "abrahams adeyemi afolabi al-sayed bailey balogun barros becker benade bester bezuidenhout bianchi biyela boateng botha \
    brink buthelezi campbell carvalho cele celliers chauke chetty chirwa chukwu cloete coetzee coetzer conradie cronje \
    dlamini dlomo dube dubois dupont esposito esterhuizen fernandes fernandez fischer fourie garcia garcía gomes gonzalez \
    gonzález gouws govender greyling grobler groenewald gumede hadebe hendricks hernández hlatshwayo hlongwane hoffmann \
    horvat hughes ismail jacobs janse jansen jele johnson jones jonker kamau kaya kekana kganyago khoza khumalo kleynhans \
    kowalska kowalski kriel kruger kumalo kunene laurent lebese ledwaba lefebvre lemmer liebenberg lopes lotter lourens \
    ludick lópez mabaso mabena mabuza madonsela mahlaba mahlangu majola makgoba makhanya makhubela makwela malan malatji \
    maluleke mamabolo manganyi maphosa marais martinez martins martínez masango maseko mashaba mashele masondo mathebula \
    mathonsi mavuso mazibuko mbatha mbeki mbele mchunu mdluli mendes meyer mhlongo mkhabela mkhize mkhwanazi mnguni modise \
    mofokeng mogale mohlala mokgosi mokoena molefe moodley moreau motaung motsepe moyo mphahlele msimang mthembu mthethwa \
    mtshali murphy mwale mwangi müller naicker naidoo naidu nair ncube ndaba ndlovu nel nene ngcobo ngobeni ngubane \
    ngwenya nhlapo nkabinde nkomo nkosi nkuna novak novák ntuli nxumalo nyathi nyembe o'brien o'connor o'neill oberholzer \
    ochieng odendaal okafor olivier oosthuizen opperman otieno patel pereira petersen pienaar pillay potgieter pretorius \
    prinsloo radebe raghunathan ramaphosa reddy ribeiro roberts robinson rodrigues rodríguez rossi roux russo scheepers \
    schmidt schmitt schneider schoeman scholtz schröder schulz sebola sechele sefako seloane shabalala shabangu sharma \
    sibanda sibiya simelane singh sithebe sithole smit smith snyman sono sousa steenkamp steyn strydom swanepoel swart \
    sánchez sørensen taylor thomson tshabalala twala vaz venter vermaak vermeulen verster vilakazi viljoen visagie visser \
    vorster wagner weber wessels wilson wiśniewska wiśniewski wolff yılmaz zikalala zimmermann zondi zulu zungu zwane";

/// Words that stand beside names of organisations, places, times and things, not in a person's name.
const NOT_PERSONS: &str = "academy act aero agreement airlines airport airways allee arena associates association assurance attorneys auto av \
    avda ave avenida avenue aviation award azienda bakery bank bankgroup bar bau bay beach bedryf bill blvd boots \
    boulevard branch brand brewery bridge builders bv cafe calle campus cape capital catering cathedral cc cement center \
    central centre chapel chemicals christmas church city cleaning clinic close clothing club college colliery \
    communications compagnie company compañía conference construction consultants consulting contract corp corporation \
    council county courier couriers creche cres crescent dairy day dealer dealership december deliveries delivery \
    department depot design digital district drive east easter eastern edition electrical empresa energy engineering \
    enterprises entreprise escola escuela estate ev expo factory faculty fair falls farm farmhouse farms fashion february \
    federation festival finance financial fleet flight food foods fort foundation freight friday gallery garage garden \
    gardens gas gmbh government group gym handel harbor harbour headquarters heights helicopters hills holdings hospitaal \
    hospital hotel house hôpital inc incorporated inn institute insurance international investment investments invoice \
    island january jeans jewellers july kerk kg kindergarten krankenhaus laan lane law league legal library limited llc \
    llp lodge logistics lower lp ltd maatskappy maison mall market media meeting metals mine mines ministries ministry \
    mission mobile model monday month mosque motors mountain municipality museum network networks news ngo north northern \
    november npc npo nursery nv october office offices ohg oil order ospedale oy parish park partners parts period \
    pharmacy piazza place plan plant platz plaza plc plein plumbing policy port power praça press primary print printing \
    prize product products program programme project properties property province pty pub publishers publishing radio rd \
    region report republic restaurant ridge river road rua rue sa safari sarl sas saturday school schule scuola security \
    seminary september series services shipping shoes shop shopping skool sociedad society società société software solar \
    solutions south southern spa square srl st stadium stadt state steel stock store stores straat strasse straße street \
    studio studios sunday supermarket supplies synagogue systems team technologies technology telecom telecoms television \
    temple tender terrace theater theatre thursday tiles tools tours town traders training transport travel trust tuesday \
    tyres ug union universidad universidade universiteit university università universität université upper valley verein \
    versicherung via village warehouse water wednesday week weg werk werke west western winery wines works year école";

/// Days and months, and given names that begin a sentence as words: alone they name nobody.
const CALENDAR: &str = "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august \
    september october november december montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi \
    vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo maandag dinsdag woensdag donderdag vrydag saterdag \
    sondag the this that new all our your";

/// Names of goods and firms that look like a title and a name.
const BRANDS: &str = "pepper price delivery oetker martens muscle ball balls bean kipling whippy potato clean beans";

static GIVEN: LazyLock<HashSet<&str>> =
    LazyLock::new(|| GIVEN_NAMES.iter().flat_map(|names| names.split_whitespace()).collect());
static FAMILY: LazyLock<HashSet<&str>> = LazyLock::new(|| FAMILY_NAMES.split_whitespace().collect());
static NO_PERSON: LazyLock<HashSet<&str>> = LazyLock::new(|| NOT_PERSONS.split_whitespace().collect());
static NO_NAME: LazyLock<HashSet<&str>> = LazyLock::new(|| CALENDAR.split_whitespace().collect());

/// Family names that come first, as in Vietnam.
const FIRST: [&str; 10] = ["nguyễn", "nguyen", "trần", "tran", "phạm", "pham", "hoàng", "huỳnh", "võ", "đặng"];

fn holds(list: &HashSet<&str>, word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    list.contains(word.as_str())
}

/// Returns whether a word is a common given name.
pub(crate) fn is_given_name(word: &str) -> bool {
    // Of `Marie-Claire`, one part will do.
    holds(&GIVEN, word) || word.split_once('-').is_some_and(|(first, _)| holds(&GIVEN, first))
}

/// Returns whether a word is a family name that is seldom anything else.
pub(super) fn is_family_name(word: &str) -> bool {
    holds(&FAMILY, word)
}

/// Returns whether a word is a family name that stands before the given one.
pub(super) fn is_family_name_first(word: &str) -> bool {
    FIRST.contains(&word.to_lowercase().as_str())
}

/// Returns whether a word speaks against a person's name.
pub(crate) fn is_not_person(word: &str) -> bool {
    holds(&NO_PERSON, word)
}

/// Returns whether a word is a day, a month or the beginning of a sentence.
pub(super) fn is_calendar(word: &str) -> bool {
    holds(&NO_NAME, word)
}

/// Returns whether a word is made of capitals, as abbreviations are.
pub(super) fn is_capitals(word: &str) -> bool {
    word.chars().filter(|c| c.is_alphabetic()).count() > 1 && word.chars().all(|c| !c.is_lowercase())
}

/// Returns whether what follows a title is a name of goods.
pub(super) fn is_brand(name: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or_default().to_lowercase();
    BRANDS.split_whitespace().any(|brand| brand == first)
}

/// Returns whether a cell can be a person's name: one to six words of letters, with nothing that speaks against it.
pub(crate) fn can_be_name(cell: &str) -> bool {
    let mut words = 0;
    for word in cell.split_whitespace() {
        words += 1;
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let strange = word.chars().any(|c| !(c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.' | ',')));
        if strange || letters == 0 || is_not_person(word) {
            return false;
        }
    }
    (1..=6).contains(&words)
}
