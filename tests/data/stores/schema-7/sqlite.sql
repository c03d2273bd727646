BEGIN TRANSACTION;
CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT);
INSERT INTO "blobs" VALUES('CDDB5558FE98B1EA9601EAFB69731DFF0A296CAF76837537D0C2BAAE12FEA1FE','image/png',1712,'1642a6dbc7568e41a84ad89d0fb2778a',3373598520000000,'civitai-1',NULL,NULL);
INSERT INTO "blobs" VALUES('67A117C56C5B1976375C8BBAD33A919EB1745069CB95B8745F9CE81A87A71CD4','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"f99ce271-c633-47b7-b762-03be8f91e4b7","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('AD22178864C6FC38A77DAE4B2E3F96972E136821C2C1B340B077AC52548DED48','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"2227baaa-6a20-42ce-8a90-3a2f34ba1067","node":"9","index":0,"content":"blank"}',NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'f99ce271-c633-47b7-b762-03be8f91e4b7','TextToImageV2','civitai-1','4602f0e9-fdcc-477b-a00f-65e5773cb295',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'ee185f19-439c-49d3-b8d9-e1c7b04799bc',0,NULL,NULL,3373512123809921,-1,2);
INSERT INTO "jobs" VALUES(2,'2227baaa-6a20-42ce-8a90-3a2f34ba1067','Comfy','civitai-1','3e485d49-8276-4ec2-9d37-9cf35249dd5e',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"9_0.png"]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'2610c629-ede9-45e7-9d74-9f4111f6c263',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(3,'32492363-ddd1-40ea-99ac-f8992756b96f','WDTagging','civitai-1','9e39bded-a0e7-4f4c-9ef6-d0a5268209f8',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(4,'22c1b37c-f3d2-452d-afe7-1a94e50220fa','TextToImageV2','civitai-1','b37f8040-7cf9-4704-bcc5-4f603d953eaa',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(5,'bb87805d-40c0-4433-b43c-0f19040a50a1','TextToImageV2','civitai-1','859519e8-e8f7-4af3-b1a5-831f333aa675',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(6,'631b1a6c-6a68-40b5-b460-608423f3c53a','TextToImageV2','civitai-1','859519e8-e8f7-4af3-b1a5-831f333aa675',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(7,'5938a6a8-7515-467c-8cea-3382d483fc7c','TextToImageV2','civitai-1','6b5ec4cc-8bbe-451d-963b-59c9a95b8106',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',1,3373512124000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE96099686991949462696496644E595395480B286E9B54809A3264B450750DF136510789F349695BA5A61A5A98A6195AEA9A185B26EB9A58A618EB2659A458EAA61A269B271998985B5A2625A3B7BF7035BF70367380C1066AE7E06E9C1215704A0606BA16C9C686668906268989C98906E6A9966906A6E68606E606C6E6C00498626EA89B92646291986666616060649494689AA86B60004CCE5468CEE24932A0061CED2B78E4869D81A181A929A88E37406FDCD1BA8E3733011616F02A1ECC43A9E18D0855AD1455AC890A69F9C0620FA57625D8A8A36AD59EA890920FAC0B4973C100D6E9A03A1B569583228BAA35394AD08FD6DE64D4DE699696C9A946C0722BD9CCD858D7C43CC95C37C9DCCC48D7C03829D522CDD230D524C99CB4DA1B18C7D4EA4CC2F21A96DE2268380CB3B7081225BAA1474EFB18D1C52766DC809A751BD2D002A8AB0F1A5A30333334830983C4F08F24D06BB081500DA9540BAC0D4B8B538B3C815E30AF0500');
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE96099686991949462696496644E595395480B08B74DC0D5AD1259AD505D43BCCD503A3A919436929199A141B29991A52EB0F167A96B629A6AAE6B99626EA26B99666268689866966C64668CD18E22B589090C1A507B05772393A8C0513230D04D31304D4B4DB3483230483631494B49364D04963A69C926861669C6492669E6BA462989E6961626E64616292626C9C9A6BA0606C064494CB3147FD4831A5B26D80B7732EB5D53B44A16949B4CB1DA4074456A660234035E8F827968D528C81233ECDE20B28E4A54284A4D5148CBAF50C8CC5328CECB2F47ABB4808104AA9F401699536411A856D45128075609C0FAA6281BB735C0F44952954764A5A507AECDB0D68FF86B45A4AA0E6C065215060A1C2CB5153046B05550C0F08308635697C084022A8041A16C4149BD04CADBA81512C889C0BA0764B22589D50C724D017415C4606C750FB40B056C592275BE88E9D151B3B442EAF4813A61884E1FA4CB0512C3DFC7A35737905099A754CB555D0B00');
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE96099686991949462696496644E595395480B08B74DCA5D4212D3D381ED7448970D67A392261682EA74DC0D31A2AC543230D0B5484C314835354A4B4B36B44CB14C36484A4934314AB430061226299669C9BA06E6A6491686E6E6A9C9E629A696E646BA0606C0A823A6E986081E94860A211B956AB9AA6B01');
INSERT INTO "jobs jobEvent" VALUES(7,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B6A946869999464689C9668906C90969696629E66699962916A6A686C906891A69B646890689E926468626A6162699666A96B6000B4A6BA168800');
CREATE TABLE "jobs leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES('03517b531670bfdaabdc65f7eeed1317',3373512120000000,'4602f0e9-fdcc-477b-a00f-65e5773cb295','f99ce271-c633-47b7-b762-03be8f91e4b7');
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-8c316a04aaca07e9f057107037bbdd71-db48af680022ba5a-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook"}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-d05fef8b00c44fdc5a890fc418f3b4f7-2da7984728d44cc5-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd15.safetensors"}},"5":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":"a red fox in snow","clip":["4",1]}},"7":{"class_type":"CLIPTextEncode","inputs":{"text":"text, watermark","clip":["4",1]}},"3":{"class_type":"KSampler","inputs":{"seed":1234567890,"steps":20,"cfg":7.0,"sampler_name":"euler","scheduler":"normal","denoise":1.0,"model":["4",0],"positive":["6",0],"negative":["7",0],"latent_image":["5",0]}},"8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}},"9":{"class_type":"SaveImage","inputs":{"images":["8",0],"filename_prefix":"ComfyUI"}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-8ad0e52ffc19d9c0bda42a8342a4d9fc-075b8177ec7d5972-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-cdd8929af3c30159613aec87b47e62b8-370acf385bc629d5-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-7a23f9ccb0ba1b9059b259f9dcce2f11-8dfdb0703e891321-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-7a23f9ccb0ba1b9059b259f9dcce2f11-8dfdb0703e891321-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["bb87805d-40c0-4433-b43c-0f19040a50a1"]}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-e2a99bb13fa0c0fffd7f99d8e5130a8f-b10a7db1458496f9-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "resources" (
        key TEXT PRIMARY KEY, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        search TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'6984C314477DA4821FC77424570C2360A43455A97657035015F2F4E3C491656B');
CREATE INDEX "jobs to claim" ON "jobs" (priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
    ;
CREATE INDEX "jobs by worker" ON "jobs" (worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs" (issued_by, created_at, submission_id, id, type);
CREATE INDEX "jobs by charge" ON "jobs" (issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (keep_until);
CREATE INDEX "resources by version" ON "resources" (source, version, key);
CREATE INDEX "resources by model" ON "resources" (source, id, key);
CREATE INDEX [blobs to sweep] ON blobs (keep_until);
COMMIT;
PRAGMA user_version = 7;
